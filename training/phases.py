"""Where in its song a frame is, as classes: in beat, bar and phrase, in which section, and how far from the ends.

A song's form follows from its length and tempo, which the prompt tells. Codes that begin a section come seldom; a model
that is asked at every frame learns to count, and so to begin the outro in time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.corpus.dataset import Example
from training.corpus.form import PHRASE_BARS, SectionKind
from training.corpus.grid import BEATS_PER_BAR, TEMPI

_COUNTED_BARS = 8
"""So many bars before an end are told apart one by one, those before them by phrases."""
_COUNTED_PHRASES = 16
_KINDS = tuple(SectionKind)

PHASE_SIZES = (
    max(TEMPI),
    BEATS_PER_BAR,
    PHRASE_BARS,
    len(_KINDS),
    _COUNTED_BARS + _COUNTED_PHRASES,
    _COUNTED_BARS + _COUNTED_PHRASES,
)
"""How many classes each has: frame in the beat, beat in the bar, bar in the phrase, kind of section, bars to its end,
bars to the song's end."""

METRE_PHASES = 3
"""The first of these are the metre's, the others the form's."""


def phases_of(example: Example, frames: int) -> npt.NDArray[np.int64]:
    """The classes of frames 0 … ``frames`` − 1, [6, frames]; those behind the song's end mean nothing."""
    frame = np.arange(frames)
    beat = frame // example.frames_per_beat
    bar = beat // BEATS_PER_BAR
    sections = example.composition.sections
    ends = np.array([section.first_bar + section.bars for section in sections])
    section = np.searchsorted(ends[:-1], bar, side="right")
    kinds = np.array([_KINDS.index(one.kind) for one in sections])
    return np.stack(
        [
            frame % example.frames_per_beat,
            beat % BEATS_PER_BAR,
            bar % PHRASE_BARS,
            kinds[section],
            _bars_class(ends[section] - 1 - bar),
            _bars_class(ends[-1] - 1 - bar),
        ]
    )


def _bars_class(bars: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Whole bars that follow, as a class."""
    phrases = np.minimum((bars - _COUNTED_BARS) // PHRASE_BARS, _COUNTED_PHRASES - 1)
    return np.where(bars < _COUNTED_BARS, np.maximum(bars, 0), _COUNTED_BARS + phrases)
