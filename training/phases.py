"""Where in its song a frame is, as classes: in beat, bar and phrase, how long before the next half beat and after the
last thing that began, in which section, how far from the ends, and in which chord.

A song's form follows from its length and tempo, which the prompt tells. Codes that begin a section come seldom; a model
that is asked at every frame learns to count, and so to begin the outro in time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.corpus.dataset import Example
from training.corpus.form import PHRASE_BARS, SectionKind
from training.corpus.grid import BEATS_PER_BAR, TEMPI
from training.corpus.latents import onset_mask
from training.corpus.song_plan import SongPlan

_COUNTED_BARS = 8
"""So many bars before an end are told apart one by one, those before them by phrases."""
_COUNTED_PHRASES = 16
_COUNTED_FRAMES = 12
"""So many frames after something began are told apart."""
_KINDS = tuple(SectionKind)
_PITCH_CLASSES = 12

PHASE_SIZES = (
    max(TEMPI),
    BEATS_PER_BAR,
    PHRASE_BARS,
    2 * max(TEMPI) // 3,
    _COUNTED_FRAMES,
    len(_KINDS),
    _COUNTED_BARS + _COUNTED_PHRASES,
    _COUNTED_BARS + _COUNTED_PHRASES,
    _PITCH_CLASSES,
)
"""How many classes each has: frame in the beat, beat in the bar, bar in the phrase, frames to the next half beat,
frames since something began, kind of section, bars to its end, bars to the song's end, root of the chord."""

METRE_PHASES, FORM_PHASES = 5, 3
"""The first of these are the metre's, the next the form's, the last is the chord."""


def phases_of(example: Example, frames: int) -> npt.NDArray[np.int64]:
    """The classes of the first ``frames`` frames that are read, [9, frames]; behind the song's end without meaning."""
    frame = example.first_frame + np.arange(frames)
    beat = frame // example.frames_per_beat
    bar = beat // BEATS_PER_BAR
    sections = example.composition.sections
    ends = np.array([section.first_bar + section.bars for section in sections])
    section = np.searchsorted(ends[:-1], bar, side="right")
    kinds = np.array([_KINDS.index(one.kind) for one in sections])
    roots = np.array(example.composition.roots)
    return np.stack(
        [
            frame % example.frames_per_beat,
            beat % BEATS_PER_BAR,
            bar % PHRASE_BARS,
            _frames_to_half_beat(example.plan, frame % example.frames_per_beat),
            _frames_since(example, frame),
            kinds[section],
            _bars_class(ends[section] - 1 - bar),
            _bars_class(ends[-1] - 1 - bar),
            roots[np.minimum(bar, len(roots) - 1)],
        ]
    )


def _frames_to_half_beat(plan: SongPlan, place: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many frames after each place in the beat the next half beat begins; 0 where one does."""
    return np.where(place > plan.offbeat, plan.frames_per_beat - place, np.where(place > 0, plan.offbeat - place, 0))


def _frames_since(example: Example, frame: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How many frames before each of some that follow one another the last onset was, as a class."""
    up_to = np.arange(frame[-1] + 1)
    begins = onset_mask(example.composition.events, len(up_to))
    last = np.maximum.accumulate(np.where(begins, up_to, 0))
    since: npt.NDArray[np.int64] = np.minimum(up_to - last, _COUNTED_FRAMES - 1)
    return since[frame]


def _bars_class(bars: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Whole bars that follow, as a class."""
    phrases = np.minimum((bars - _COUNTED_BARS) // PHRASE_BARS, _COUNTED_PHRASES - 1)
    return np.where(bars < _COUNTED_BARS, np.maximum(bars, 0), _COUNTED_BARS + phrases)
