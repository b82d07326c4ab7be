"""Prompts alone, many at a time: a song teaches one prompt's worth of reading, and takes twenty times as long."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.token_layout import TokenLayout
from training.corpus.dataset import AskedSong, asked_song
from training.score import plan_labels
from training.text import backbone_prompt

_LINES = 2
"""Lines of lyrics a prompt keeps here: that there are some tells enough."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A part of the training that reads so many prompts a step, each cut or padded to a length."""

    steps: int
    prompts: int
    length: int


@dataclass(frozen=True, kw_only=True)
class PromptBatch:
    """``ids`` [B, L], the position of each prompt's ``last`` id [B], and the plan it asks for, ``plans`` [P, B]."""

    ids: torch.Tensor
    last: torch.Tensor
    plans: torch.Tensor

    def to(self, device: torch.device) -> PromptBatch:
        return PromptBatch(ids=self.ids.to(device), last=self.last.to(device), plans=self.plans.to(device))


def read_prompts(reading: Reading, layout: TokenLayout, seed: int, first: int) -> PromptBatch:
    """The prompts of songs ``first``, ``first + 1``, … of a seed, none of which is composed."""
    asked = [asked_song(seed, index, complete=True) for index in range(first, first + reading.prompts)]
    return pack_prompts(asked, layout, length=reading.length)


def pack_prompts(asked: Iterable[AskedSong], layout: TokenLayout, *, length: int) -> PromptBatch:
    """A batch of the fixed shape [B, length]."""
    prompts, plans = [], []
    for song in asked:
        lines = itertools.islice(song.request.lyrics.splitlines(), _LINES)
        request = replace(song.request, lyrics="\n".join(lines))
        prompts.append(backbone_prompt(request, layout, limit=length))
        plans.append(plan_labels(song.plan))
    ids = np.full((len(prompts), length), layout.end_of_generation, np.int64)
    for row, prompt in zip(ids, prompts, strict=True):
        row[: len(prompt)] = prompt
    return PromptBatch(
        ids=torch.from_numpy(ids),
        last=torch.tensor([len(prompt) - 1 for prompt in prompts]),
        plans=torch.tensor(plans).T.contiguous(),
    )
