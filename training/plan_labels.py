"""A song's plan as classes: what a model that has read the prompt should be able to say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from training.corpus.genres import (
    BASS_INSTRUMENTS,
    CHORD_INSTRUMENTS,
    LEAD_INSTRUMENTS,
    PAD_INSTRUMENTS,
    DrumStyle,
    Genre,
)
from training.corpus.grid import TEMPI
from training.corpus.harmony import KEYS
from training.corpus.song_plan import MINUTES, Density, SongPlan
from training.corpus.voices import Voice

_CHOICES: dict[str, Sequence[object]] = {
    "genre": tuple(Genre),
    "frames_per_beat": TEMPI,
    "key": KEYS,
    "chord": CHORD_INSTRUMENTS,
    "bass": BASS_INSTRUMENTS,
    "lead": LEAD_INSTRUMENTS,
    "pad": (None, *PAD_INSTRUMENTS),
    "drums": tuple(DrumStyle),
    "density": tuple(Density),
    "voice": (None, *Voice),
    "minutes": MINUTES,
}

PLAN_SIZES = tuple(len(choices) for choices in _CHOICES.values())
"""How many classes each choice of a plan has."""


def plan_labels(plans: Iterable[SongPlan]) -> torch.Tensor:
    """Which class of each of ``PLAN_SIZES`` plans are in, int64 [choices, plans]."""
    classes = [[choices.index(getattr(plan, name)) for name, choices in _CHOICES.items()] for plan in plans]
    return torch.tensor(classes).T.contiguous()
