"""Songs that stood still, to learn from: notes that are held past what should have begun, and what begins then.

A model that is late by a frame reads a note that goes on where the corpus would long have begun another, and then
holds it for good. So some songs are read with such notes in them. While one is held, its code is what belongs there,
but where something begins in the song: there the song's own code is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from core.token_layout import COARSE_LAYERS
from training.corpus.dataset import Example
from training.sequences import CoarseBatch

_HOLDS = 4
"""In each song that has any."""
_MOST_MISSED = 8
"""Onsets a held note may miss."""


def hold(batch: CoarseBatch, examples: Sequence[Example], rng: np.random.Generator, *, share: float) -> CoarseBatch:
    """The batch with notes that are held too long in ``share`` of its songs."""
    ids = batch.ids.clone()
    targets = (batch.targets[0].clone(), batch.targets[1].clone())
    for row, example in enumerate(examples):
        if rng.random() >= share:
            continue
        begin = int(batch.places[row, 0]) + 1
        frames = int((batch.weights[1][row] > 0).sum())
        for first, last in _stretches(example, frames, rng):
            late = torch.from_numpy(~example.onsets[first:last])
            for layer in range(COARSE_LAYERS):
                places = begin + COARSE_LAYERS * np.arange(first, last) + layer
                ids[row, places] = batch.ids[row, begin + COARSE_LAYERS * (first - 1) + layer]
                targets[layer][row, first:last][late] = batch.targets[layer][row, first - 1]
    return replace(batch, ids=ids, targets=targets, rivals=targets)


def _stretches(example: Example, frames: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """First frame and last frame + 1 of each held note: from an onset that is missed to a later one, none touching."""
    begins = np.flatnonzero(example.onsets[:frames])
    found: list[tuple[int, int]] = []
    for _ in range(_HOLDS):
        missed = int(rng.integers(1, _MOST_MISSED + 1))
        if len(begins) <= missed + 1:
            break
        place = int(rng.integers(1, len(begins) - missed))
        first, last = int(begins[place]), int(begins[place + missed])
        if all(last < other or end < first for other, end in found):
            found.append((first, last))
    return found
