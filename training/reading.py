"""Prompts alone, many at a time: a song teaches one prompt's worth of reading, and takes twenty times as long."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.token_layout import TokenLayout
from training.corpus.dataset import AskedSong, asked_song
from training.plan_labels import plan_labels
from training.text import backbone_prompt

_MOST_LINES = 5
"""A prompt keeps fewer lines of its lyrics than this: that there are some, and that they push it away, is enough."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Steps that read so many ``prompts`` and nothing else; afterwards some are read ``beside`` the songs of each step,
    lest it be forgotten. Each is cut or padded to ``length``."""

    steps: int
    prompts: int
    beside: int
    length: int


@dataclass(frozen=True, kw_only=True)
class PromptBatch:
    """``ids`` [B, L], the position of each prompt's ``last`` id [B], and the plan it asks for, ``plans`` [P, B]."""

    ids: torch.Tensor
    last: torch.Tensor
    plans: torch.Tensor

    def to(self, device: torch.device) -> PromptBatch:
        return PromptBatch(ids=self.ids.to(device), last=self.last.to(device), plans=self.plans.to(device))


def prompts_of_step(reading: Reading, layout: TokenLayout, seed: int, step: int) -> PromptBatch:
    """The prompts of a step: of songs of a seed that are numbered throughout, and never composed."""
    alone, along = min(step, reading.steps), max(0, step - reading.steps)
    first = alone * reading.prompts + along * reading.beside
    count = reading.prompts if step < reading.steps else reading.beside
    asked = [asked_song(seed, index, complete=True) for index in range(first, first + count)]
    return pack_prompts(asked, layout, length=reading.length)


def pack_prompts(asked: Iterable[AskedSong], layout: TokenLayout, *, length: int) -> PromptBatch:
    """A batch of the fixed shape [B, length]."""
    prompts, plans = [], []
    for song in asked:
        lines = itertools.islice(song.request.lyrics.splitlines(), song.seed % _MOST_LINES)
        request = replace(song.request, lyrics="\n".join(lines))
        prompts.append(backbone_prompt(request, layout, limit=length))
        plans.append(song.plan)
    ids = np.full((len(prompts), length), layout.end_of_generation, np.int64)
    for row, prompt in zip(ids, prompts, strict=True):
        row[: len(prompt)] = prompt
    return PromptBatch(
        ids=torch.from_numpy(ids),
        last=torch.tensor([len(prompt) - 1 for prompt in prompts]),
        plans=plan_labels(plans),
    )
