"""The score of a song, frame by frame: what heads predict that exist only while the backbone is trained.

Codes say how a frame sounds; the score says why: where in the bar and the form it stands, what the plan is, which
notes begin and which still sound. A model that must also say this learns to follow a song in a fraction of the steps.
Legend: F frames, C classes, S sounds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.corpus.dataset import Example
from training.corpus.form import PHRASE_BARS, Section, SectionKind
from training.corpus.genres import (
    BASS_INSTRUMENTS,
    CHORD_INSTRUMENTS,
    LEAD_INSTRUMENTS,
    PAD_INSTRUMENTS,
    DrumStyle,
    Genre,
)
from training.corpus.grid import BEATS_PER_BAR, TEMPI
from training.corpus.harmony import KEYS
from training.corpus.song_plan import MINUTES, Density, SongPlan
from training.corpus.sounds import Event, all_sounds
from training.corpus.voices import Voice

_MOST_SECTIONS, _MOST_BARS = 12, 16
_PLAN: dict[str, Sequence[object]] = {
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

METRE_SIZES = (max(TEMPI), BEATS_PER_BAR, PHRASE_BARS)
"""Classes of the frame in the beat, the beat in the bar, the bar in the phrase."""

FORM_SIZES = (len(SectionKind), _MOST_SECTIONS, _MOST_BARS)
"""Classes of the section's kind, its place in the form, and the bars left of it."""

PLAN_SIZES = tuple(len(choices) for choices in _PLAN.values())
"""Classes of each choice of a plan; the same at every frame."""

CLASS_SIZES = METRE_SIZES + FORM_SIZES + PLAN_SIZES

_PLACES = {sound: place for place, sound in enumerate(sorted(all_sounds()))}
NUM_SOUNDS = len(_PLACES)


def class_labels(example: Example, num_frames: int) -> npt.NDArray[np.int64]:
    """Which class of each of ``CLASS_SIZES`` the first frames are in, [C, F]."""
    frame = np.arange(num_frames)
    beat = frame // example.frames_per_beat
    bar = beat // BEATS_PER_BAR
    metre = (frame % example.frames_per_beat, beat % BEATS_PER_BAR, bar % PHRASE_BARS)
    form = _form_labels(example.composition.sections, bar)
    return np.stack([*metre, *form, *(np.full_like(frame, choice) for choice in plan_labels(example.plan))])


def plan_labels(plan: SongPlan) -> list[int]:
    """Which class of each of ``PLAN_SIZES`` a plan is in."""
    return [choices.index(getattr(plan, name)) for name, choices in _PLAN.items()]


def sound_labels(events: Sequence[Event], num_frames: int) -> npt.NDArray[np.bool_]:
    """Which sounds start and which are sounding at the first frames, [F, 2·S]."""
    starting, sounding = np.zeros((2, num_frames, NUM_SOUNDS), np.bool_)
    for event in events:
        if event.start < num_frames:
            place = _PLACES[event.sound]
            starting[event.start, place] = True
            sounding[event.start : event.start + (event.frames or event.sound.frames), place] = True
    return np.concatenate([starting, sounding], axis=1)


def _form_labels(sections: Sequence[Section], bar: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    kinds = tuple(SectionKind)
    ends = np.array([section.first_bar + section.bars for section in sections])
    number = np.minimum(np.searchsorted(ends, bar, side="right"), len(sections) - 1)
    kind = np.array([kinds.index(section.kind) for section in sections])[number]
    return kind, np.minimum(number, _MOST_SECTIONS - 1), np.clip(ends[number] - bar - 1, 0, _MOST_BARS - 1)
