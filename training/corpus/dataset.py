"""Training examples without end: what a request would have said, and the codes of the song it would have got.

Example number i of a seed is always the same, so training resumes exactly by going on from a number, and several
processes can each make their own share ahead of time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.codes import CodeArray
from core.request import GenerationRequest, Mode, PromptMode
from core.token_layout import COARSE_LAYERS
from models.codec.rvq import ResidualVectorQuantizer
from training.corpus.composer import Composition, compose
from training.corpus.corpus_codec import CorpusCodec
from training.corpus.latents import DistinctFrames, LatentBank, onset_mask
from training.corpus.lyrics_writer import write_lyrics
from training.corpus.planning import Constraints, draw_plan
from training.corpus.prompts import sentence_prompt, tag_prompt
from training.corpus.song_plan import MINUTES, SongPlan
from training.corpus.voices import Voice

HELD_OUT_SEED = 999_983
"""Seed of songs no training may use."""

_SENTENCES = 0.5


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request and its song. ``codes`` int16 [layers, frames]; ``onsets`` bool [frames]: something starts there.
    ``latents`` float32 [frames, latent size] are what the codes stand for.

    ``is_whole`` says whether the codes run to the song's end, where the model should end too; ``composition`` is the
    whole song in any case, made of ``plan`` and ``seed``. Those that are read from their middle on begin at
    ``first_frame`` of it. ``rival`` [layers, frames] are the codes it would have if other instruments played.
    """

    request: GenerationRequest
    codes: CodeArray
    latents: npt.NDArray[np.float32]
    onsets: npt.NDArray[np.bool_]
    is_whole: bool
    plan: SongPlan
    seed: int
    composition: Composition
    first_frame: int = 0
    rival: CodeArray | None = None

    @property
    def num_frames(self) -> int:
        return int(self.codes.shape[1])

    def from_frame(self, first: int) -> Example:
        """The rest of the song from one of its frames on."""
        return replace(
            self,
            codes=self.codes[:, first:],
            latents=self.latents[first:],
            onsets=self.onsets[first:],
            first_frame=self.first_frame + first,
            rival=self.rival if self.rival is None else self.rival[:, first:],
        )

    @property
    def coarse(self) -> CodeArray:
        """The first two layers as the backbone writes them, int16 [frames, 2]."""
        return np.ascontiguousarray(self.codes[:COARSE_LAYERS].T)

    @property
    def frames_per_beat(self) -> int:
        return self.plan.frames_per_beat


@dataclass(frozen=True, kw_only=True)
class AskedSong:
    """A plan and a request that would have asked for it; ``seed`` chooses what neither says."""

    plan: SongPlan
    request: GenerationRequest
    seed: int


@dataclass(frozen=True, kw_only=True)
class Song(AskedSong):
    """One that is composed."""

    composition: Composition


class Choice(TypedDict, total=False):
    """Which songs a seed's are: of so many ``minutes``; all with ``complete`` requests, which leave nothing open; all
    ``sung``, not now and then; and their lyrics ``pasted``, too long or too short for them."""

    minutes: Sequence[int]
    complete: bool
    sung: bool
    pasted: bool


def asked_song(seed: int, index: int, **choice: Unpack[Choice]) -> AskedSong:
    """Song number ``index`` of a seed before a note of it is written."""
    rng = random.Random(f"{seed}/{index}")  # a string is hashed alike on every machine
    wanted = Constraints(voice=frozenset(Voice)) if choice.get("sung") else None
    plan = draw_plan(rng, wanted, minutes=choice.get("minutes", MINUTES))
    if plan.voice:
        plan = replace(plan, lyrics=write_lyrics(plan, rng, pasted=choice.get("pasted", False)))
    notes = rng.getrandbits(32)
    request = _request(plan, rng, complete=choice.get("complete", False))
    return AskedSong(plan=plan, request=request, seed=notes)


def song(seed: int, index: int, **choice: Unpack[Choice]) -> Song:
    """Song number ``index`` of a seed: a few milliseconds, no codec needed."""
    asked = asked_song(seed, index, **choice)
    return Song(plan=asked.plan, request=asked.request, seed=asked.seed, composition=compose(asked.plan, asked.seed))


class Examples(Iterator[Example]):
    """Examples ``next_index``, ``next_index + step``, … of a seed; can be pickled between any two of them."""

    def __init__(
        self,
        song_of: Callable[[int], Song],
        bank: LatentBank,
        codebooks: Tensor,
        *,
        max_frames: int | None,
        next_index: int,
        step: int,
    ) -> None:
        self._song_of = song_of
        self._bank = bank
        self._quantizer = ResidualVectorQuantizer(codebooks)
        self._max_frames = max_frames
        self._step = step
        self.next_index = next_index

    def __next__(self) -> Example:
        example = self.example(self.next_index)
        self.next_index += self._step
        return example

    def example(self, index: int) -> Example:
        """Example number ``index``, wherever the iteration stands."""
        made = self._song_of(index)
        codes, latents = self._coded(made.composition)
        num_frames = codes.shape[1]
        return Example(
            request=made.request,
            codes=codes,
            latents=latents,
            onsets=onset_mask(made.composition.events, num_frames),
            is_whole=num_frames == made.composition.num_frames,
            plan=made.plan,
            seed=made.seed,
            composition=made.composition,
        )

    def rival(self, example: Example, plan: SongPlan) -> CodeArray:
        """Codes [layers, frames] that an example would have if this were its plan, which has other instruments."""
        return self._coded(compose(plan, example.seed))[0]

    def _coded(self, composition: Composition) -> tuple[CodeArray, npt.NDArray[np.float32]]:
        """Codes [layers, frames] and latents [frames, latent size] of a song, as far as it is read."""
        num_frames = min(composition.num_frames, self._max_frames or composition.num_frames)
        frames = DistinctFrames.of(self._bank.index, composition.events, num_frames)
        with torch.inference_mode():
            latents_UD = frames.sums(self._bank.rows)
            codes_QU = self._quantizer.encode(latents_UD.T.unsqueeze(0))
        return codes_QU.numpy().astype(np.int16)[:, frames.which], latents_UD.numpy()[frames.which]


class Corpus:
    """All songs there are, in the codes of one fitted codec."""

    def __init__(self, codec: CorpusCodec) -> None:
        self._codec = codec
        self.num_quantizers, self.codebook_size, _ = codec.codebooks.shape

    @classmethod
    def open(cls, directory: Path) -> Corpus:
        """The corpus in the codec that was fitted into ``directory``."""
        return cls(CorpusCodec.load(directory))

    @property
    def codebooks(self) -> Tensor:
        """All codebooks, float32 [layers, codebook size, latent size]."""
        return self._codec.codebooks

    def examples(
        self,
        seed: int,
        *,
        start: int = 0,
        step: int = 1,
        layers: int = COARSE_LAYERS,
        max_frames: int | None = None,
        **choice: Unpack[Choice],
    ) -> Examples:
        """Examples ``start``, ``start + step``, … of a seed; worker w of n takes start = w and step = n.

        ``layers`` of codes are made (two take a fraction of the time of all), of songs cut after ``max_frames``.
        ValueError for layers the codec does not have.
        """
        if not COARSE_LAYERS <= layers <= self.num_quantizers:
            raise ValueError(f"from {COARSE_LAYERS} to {self.num_quantizers} layers can be made, not {layers}")
        # A copy, so that a pickled iterator carries no more layers than it makes.
        codebooks = self._codec.codebooks[:layers].clone()
        song_of = partial(song, seed, **choice)
        return Examples(song_of, self._codec.bank, codebooks, max_frames=max_frames, next_index=start, step=step)


def _request(plan: SongPlan, rng: random.Random, *, complete: bool) -> GenerationRequest:
    described = rng.random() < _SENTENCES
    text = (sentence_prompt if described else tag_prompt)(plan, rng, complete=complete)
    return GenerationRequest(
        mode=Mode.VOCAL if plan.voice else Mode.INSTRUMENTAL,
        prompt_mode=PromptMode.NATURAL if described else PromptMode.TAGS,
        prompt=text if described else "",
        tags="" if described else text,
        lyrics="\n".join(plan.lyrics),
        duration_minutes=plan.minutes,
    )
