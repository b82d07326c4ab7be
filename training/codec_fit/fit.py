"""From the corpus to a codec: basis, codebooks, networks, files. Stops and goes on without a trace.

A directory holds one fit; its state is written as it grows, and a fit run again goes on where it was stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.token_layout import COARSE_LAYERS
from models.checkpoint.codec_file import write_codec_file
from models.codec.decoder import Decoder
from models.codec.encoder import Encoder
from training.codec_fit.basis import FrameStatistics, LatentBasis
from training.codec_fit.kmeans import fit_codebook, nearest, refine_together
from training.codec_fit.networks import block_covariance, initialise_decoder, initialise_encoder
from training.codec_fit.progress import with_progress
from training.codec_fit.scale import FitScale
from training.corpus.corpus_codec import CorpusCodec
from training.corpus.dataset import Song, song
from training.corpus.latents import DistinctFrames, LatentBank
from training.corpus.render import render
from training.corpus.slices import SliceBank
from training.corpus.sounds import all_sounds

logger = logging.getLogger(__name__)

CODEC_FILE = "dac_rvq_2490000.ckpt"
"""The published name, under which a codec is looked for; written again because the module that owns it needs more than
NumPy and PyTorch."""
STATE_FILE = "codec_fit_state.pt"

_MOST_SONGS_FOR_BASIS = 120
_SONGS_FOR_BLOCKS = 6
_FRAME_STRIDE = 4
_LAYERS_BETWEEN_SAVES = 8
_SEED_STRIDE = 1_000


@dataclass(frozen=True)
class FittedCodec:
    """What a fit found. ``bank`` holds every sound as coefficients, ``corpus`` as latents."""

    bank: SliceBank
    basis: LatentBasis
    corpus: CorpusCodec


def fit_codec(out: Path, scale: FitScale, seed: int, *, bank: SliceBank | None = None) -> FittedCodec:
    """Fit a codec of this scale and write its file, and the one of the corpus, into ``out``.

    ``bank`` holds every sound of the corpus, if somebody has made it already. The same seed makes the same codec on
    the same machine. ValueError when ``out`` holds another fit.
    """
    out.mkdir(parents=True, exist_ok=True)
    logger.info("synthesising every sound of the corpus")
    bank = bank or SliceBank.of(all_sounds())
    fit = _Fit(out / STATE_FILE, scale, seed, bank)
    basis = fit.basis()
    latents = LatentBank(bank.index, basis.to_latents(bank.rows))
    corpus = CorpusCodec(latents, fit.codebooks(latents))
    corpus.save(out)
    state = _networks(scale, basis, corpus, bank, [fit.song(index) for index in range(_SONGS_FOR_BLOCKS)])
    # Half precision is half the file, and 66 dB is far more than the latents keep.
    write_codec_file(out / CODEC_FILE, scale.config, {name: tensor.half() for name, tensor in state.items()})
    return FittedCodec(bank, basis, corpus)


class _Fit:
    """The two long steps, each remembered in the state file."""

    def __init__(self, state_file: Path, scale: FitScale, seed: int, bank: SliceBank) -> None:
        self._file, self._scale, self._seed, self._bank = state_file, scale, seed, bank
        # Rounded, so that it tells other sounds apart but not the order of additions.
        energy = f"{float(bank.rows.square().sum()):.4g}"
        identity = {"scale": repr(scale), "seed": seed, "rows": len(bank.rows), "energy": energy}
        self._state: dict[str, Any] = torch.load(state_file, weights_only=True) if state_file.exists() else {**identity}
        if {name: self._state.get(name) for name in identity} != identity:
            raise ValueError(
                f"{state_file} belongs to a fit of another scale, seed or corpus. "
                "Delete it or choose another directory."
            )

    def song(self, index: int) -> Song:
        return song(self._seed, index, minutes=self._scale.minutes)

    def basis(self) -> LatentBasis:
        if "basis" not in self._state:
            statistics = FrameStatistics()
            songs = min(self._scale.songs, _MOST_SONGS_FOR_BASIS)
            for frames in with_progress("latent basis", self._frames(songs), songs):
                statistics.add(frames.sums(self._bank.rows)[::_FRAME_STRIDE], frames.counts[::_FRAME_STRIDE])
            self._state["basis"] = vars(statistics.basis(self._scale.latent_size, self._generator(0)))
            self._save()
        basis = LatentBasis(**self._state["basis"])
        logger.info("%d latents keep %.2f %% of the weighted energy", self._scale.latent_size, 100 * basis.kept_energy)
        return basis

    def codebooks(self, latents: LatentBank) -> Tensor:
        """Codebooks [Q, K, D], the first two fitted together, each of the others to what is left of the latents."""
        scale = self._scale
        heard = list(with_progress("listening", self._frames(scale.songs), scale.songs))
        left = torch.cat([frames.sums(latents.rows) for frames in heard])
        counts = torch.cat([frames.counts for frames in heard])
        logger.info("%d songs have %d frames, %d of them distinct", scale.songs, int(counts.sum()), len(left))
        if "codebooks" not in self._state:
            self._state["codebooks"] = list(self._first_two(left, counts))
            self._save()
        codebooks: list[Tensor] = self._state["codebooks"]
        for codebook in codebooks:
            left -= codebook[nearest(left, codebook)]
        layers = range(len(codebooks), scale.layers)
        for layer in with_progress("codebooks", layers, scale.layers, done=len(codebooks)):
            codebook = self._fit_layer(layer, left, counts)
            left -= codebook[nearest(left, codebook)]
            codebooks.append(codebook)
            if layer % _LAYERS_BETWEEN_SAVES == 0 or layer == layers[-1]:
                self._save()
        return torch.stack(codebooks)

    def _first_two(self, vectors: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
        first = self._fit_layer(0, vectors, counts)
        second = self._fit_layer(1, vectors - first[nearest(vectors, first)], counts)
        return refine_together(vectors, counts, first, second, self._scale.effort.joint_rounds)

    def _fit_layer(self, layer: int, vectors: Tensor, counts: Tensor) -> Tensor:
        effort, first = self._scale.effort, layer < COARSE_LAYERS
        return fit_codebook(
            vectors,
            counts,
            self._scale.codebook_size,
            frames=effort.first_frames if first else effort.frames,
            rounds=effort.first_rounds if first else effort.rounds,
            silent=layer > 0,
            generator=self._generator(1 + layer),
        )

    def _frames(self, songs: int) -> Iterator[DistinctFrames]:
        for index in range(songs):
            composition = self.song(index).composition
            yield DistinctFrames.of(self._bank.index, composition.events, composition.num_frames)

    def _generator(self, step: int) -> torch.Generator:
        # One a step, so that a step draws the same numbers whether or not the fit was stopped before it.
        return torch.Generator().manual_seed(_SEED_STRIDE * self._seed + step)

    def _save(self) -> None:
        unfinished = self._file.with_suffix(".part")
        torch.save(self._state, unfinished)
        unfinished.replace(self._file)


def _networks(
    scale: FitScale, basis: LatentBasis, corpus: CorpusCodec, bank: SliceBank, songs: list[Song]
) -> dict[str, Tensor]:
    """Both networks and the codebooks, named as the codec's file names them."""
    decoder, encoder = Decoder(scale.config), Encoder(scale.config)
    covariance = torch.zeros(())
    latents = []
    for made in songs:
        events, num_frames = made.composition.events, made.composition.num_frames
        covariance = covariance + block_covariance(render(events, num_frames, bank)) / len(songs)
        latents.append(corpus.bank.latents(events, num_frames))
    initialise_decoder(decoder, basis, torch.cat(latents).std(0))
    initialise_encoder(encoder, basis, covariance)
    networks = {"decoder": decoder, "encoder": encoder}
    state = {
        f"{part}.{name}": tensor for part, network in networks.items() for name, tensor in network.state_dict().items()
    }
    return state | {"quantizer.codebooks": corpus.codebooks}
