"""Songs that went astray, to learn from: stretches replaced by bars that were heard before, and what should come then.

A model that writes a song reads its own codes, and where it has missed a change of section it reads a chorus that goes
on and on, which no song of the corpus has. Then it stays there and never comes to the end. So some songs are read with
such stretches in them: nothing is learnt of the stretch itself, but what follows is what belongs there in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.token_layout import COARSE_LAYERS
from training.corpus.dataset import Example
from training.corpus.form import PHRASE_BARS
from training.corpus.grid import BEATS_PER_BAR
from training.sequences import CoarseBatch

_SPLICES = 2
"""Stretches in each song that has any."""
_MOST_BARS = 12
_AT_A_SECTION = 0.5
"""How often a stretch begins where a section should."""
_LAST_PHRASE = 0.6
"""How often it repeats the phrase before it; else it takes up one from further back."""


def splice(batch: CoarseBatch, examples: Sequence[Example], rng: np.random.Generator, *, share: float) -> CoarseBatch:
    """The batch with stretches in ``share`` of its songs that repeat what came some phrases before."""
    ids = batch.ids.clone()
    weights, onsets = (batch.weights[0].clone(), batch.weights[1].clone()), batch.onsets.clone()
    for row, example in enumerate(examples):
        if rng.random() >= share:
            continue
        begin = int(batch.places[row, 0]) + 1
        frames = int((batch.weights[1][row] > 0).sum())
        for first, last, back in _stretches(example, frames, rng):
            onsets[row, first:last] = 0
            source = first - back + np.arange(last - first) % back
            for layer in range(COARSE_LAYERS):
                places = begin + COARSE_LAYERS * np.arange(first, last) + layer
                ids[row, places] = batch.ids[row, begin + COARSE_LAYERS * source + layer]
                weights[layer][row, first:last] = 0
    return replace(batch, ids=ids, weights=weights, onsets=onsets)


def _stretches(example: Example, frames: int, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """First frame, last frame + 1, and how many frames before it each stretch is taken from; whole bars."""
    bar = BEATS_PER_BAR * example.frames_per_beat
    phrase = PHRASE_BARS * bar
    sections = [section.first_bar * bar for section in example.composition.sections[1:]]
    found = []
    for _ in range(_SPLICES):
        anywhere = int(rng.integers(0, frames // bar + 1)) * bar
        first = int(rng.choice(sections)) if rng.random() < _AT_A_SECTION else anywhere
        last = min(first + int(rng.integers(1, _MOST_BARS + 1)) * bar, frames)
        if not phrase <= first < last:
            continue
        phrases = 1 if rng.random() < _LAST_PHRASE else int(rng.integers(1, first // phrase + 1))
        found.append((first, last, phrases * phrase))
    return found
