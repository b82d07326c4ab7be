"""How good a fitted codec is, on songs it has not heard, through the file it was written to.

SI-SDR compares whole songs in the latent's own linear inverse; the networks are held against it on excerpts.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.codes import FullCodes
from models.checkpoint.codec_file import build_decoder, build_encoder, read_codec_weights
from models.codec.rvq import ResidualVectorQuantizer
from training.codec_fit.fit import CODEC_FILE, FittedCodec
from training.codec_fit.progress import with_progress
from training.codec_fit.scale import FitScale
from training.corpus.dataset import HELD_OUT_SEED, song
from training.corpus.grid import HOP_SAMPLES
from training.corpus.lapped import synthesise
from training.corpus.latents import DistinctFrames
from training.corpus.render import render

EXCERPT = slice(200, 392)
"""Frames of a song that the networks are run on, nine seconds."""
_MARGIN = 4
"""Frames at an excerpt's ends that the encoder sees only in part."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CodecQuality:
    """Means over held-out songs, in decibels or as shares.

    Keys are numbers of layers, written out, and "all" for latents that were not quantised. ``code_agreement`` is how
    many codes of that layer the encoder gives back from sound, ``distinct_frames`` the share of a song's frames that
    differ from all its others, ``peak`` the loudest sample of any song.
    """

    latent_snr: dict[str, float]
    si_sdr: dict[str, float]
    si_sdr_networks: dict[str, float]
    code_agreement: dict[str, float]
    distinct_frames: float
    peak: float

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def si_sdr(estimate: Tensor, reference: Tensor) -> float:
    """Scale-invariant signal-to-distortion ratio of two signals of one shape, in decibels."""
    scale = (estimate * reference).sum() / reference.square().sum()
    target = scale * reference
    return _decibels(target, estimate - target)


def measure(out: Path, scale: FitScale, fitted: FittedCodec) -> CodecQuality:
    """Measure the codec whose file lies in ``out``."""
    weights = read_codec_weights(out / CODEC_FILE)
    device = torch.device("cpu")
    decoder, encoder = build_decoder(weights, device), build_encoder(weights, device)
    quantizer = ResidualVectorQuantizer(weights.codebooks())
    counts = [2**power for power in range(scale.layers.bit_length()) if 2**power <= scale.layers]

    latent_snr: dict[str, list[float]] = {str(count): [] for count in counts}
    linear: dict[str, list[float]] = {str(count): [] for count in (*counts, "all")}
    networks: dict[str, list[float]] = {str(count): [] for count in (min(2, scale.layers), scale.layers)}
    agreement: dict[str, list[float]] = {str(count): [] for count in counts}
    distinct, peaks = [], []
    for index in with_progress("measuring", range(scale.held_out_songs), scale.held_out_songs):
        composition = song(HELD_OUT_SEED, index, minutes=(1,)).composition
        frames = DistinctFrames.of(fitted.bank.index, composition.events, composition.num_frames)
        audio = render(composition.events, composition.num_frames, fitted.bank)
        latents = frames.sums(fitted.corpus.bank.rows)
        codes = quantizer.encode(latents.T.unsqueeze(0))
        distinct.append(frames.count / composition.num_frames)
        peaks.append(float(audio.abs().max()))

        which = torch.from_numpy(frames.which)
        for count in counts:
            quantised = quantizer.decode(codes[:count])[0].T
            latent_snr[str(count)].append(_decibels(latents[which], (quantised - latents)[which]))
            linear[str(count)].append(si_sdr(_linear_audio(quantised[which], fitted), audio))
        linear["all"].append(si_sdr(_linear_audio(latents[which], fitted), audio))

        excerpt = np.ascontiguousarray(codes.numpy().astype(np.int16)[:, frames.which][:, EXCERPT])
        heard = audio[:, EXCERPT.start * HOP_SAMPLES : EXCERPT.stop * HOP_SAMPLES]
        for name, scores in networks.items():
            pieces = decoder.decode(FullCodes(values=excerpt[: int(name)]))
            decoded = torch.from_numpy(np.concatenate(list(pieces), axis=1))
            scores.append(si_sdr(*(_inside(signal, HOP_SAMPLES) for signal in (decoded, heard))))
        same = encoder.encode(heard.numpy()).values == excerpt
        for name, scores in agreement.items():
            scores.append(float(same[int(name) - 1, _MARGIN:-_MARGIN].mean()))
    return CodecQuality(
        latent_snr=_means(latent_snr),
        si_sdr=_means(linear),
        si_sdr_networks=_means(networks),
        code_agreement=_means(agreement),
        distinct_frames=_mean(distinct),
        peak=max(peaks),
    )


def _linear_audio(latents_FD: Tensor, fitted: FittedCodec) -> Tensor:
    coefficients = latents_FD @ fitted.basis.synthesis
    return synthesise(coefficients.view(len(coefficients), 2, HOP_SAMPLES).transpose(0, 1))


def _inside(signal_CT: Tensor, samples_a_frame: int) -> Tensor:
    """An excerpt without its ends, where what came before and after it is missing."""
    return signal_CT[:, _MARGIN * samples_a_frame : -_MARGIN * samples_a_frame]


def _decibels(signal: Tensor, noise: Tensor) -> float:
    return float(10 * torch.log10(signal.square().sum() / noise.square().sum().clamp(min=1e-12)))


def _means(scores: dict[str, list[float]]) -> dict[str, float]:
    return {name: round(_mean(values), 3) for name, values in scores.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
