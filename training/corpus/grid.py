"""The grid all music of the corpus lies on: time in codec frames, pitch in steps that repeat every eight frames.

A tone of k·PITCH_STEP_HZ has turned a whole number of times after eight frames, so its frames repeat.
Pitches are MIDI numbers (60 = middle C) in just intonation, about a third of a semitone below concert pitch
(A4 = 430.7 Hz).
"""

from __future__ import annotations

import math

SAMPLE_RATE_HZ = 44_100
HOP_SAMPLES = 2_048
FRAMES_PER_SECOND = SAMPLE_RATE_HZ / HOP_SAMPLES
PHASE_PERIOD_FRAMES = 8
PITCH_STEP_HZ = FRAMES_PER_SECOND / PHASE_PERIOD_FRAMES

BEATS_PER_BAR = 4
TEMPI = (8, 9, 11, 13, 15, 17)
"""Frames a beat: 161, 144, 117, 99, 86 and 76 beats a minute. Few have a divisor in common, so that a song is not
heard to lie on the grid of another tempo."""

MAX_NOTE_FRAMES = 2 * max(TEMPI)
"""Longest note: two beats of the slowest tempo."""

SETTLED_FRAMES = 4
"""A note fades for so long and then stays as it is, so that its frames repeat for as long as it is held."""

_LOWEST_OCTAVE = 2
_STEPS = (24, 25, 27, 28, 30, 32, 34, 36, 38, 40, 43, 45)
# From C2 to B2, doubling with each octave. The scale of C major is just (24 : 27 : 30 : 32 : 36 : 40 : 45), and from
# octave 4 up most steps are multiples of 4 or 8: such tones repeat every other frame or every frame.


def grid_steps(pitch: int) -> int:
    """How many pitch steps a MIDI pitch from C2 (36) upwards is tuned to; ValueError below."""
    octave, pitch_class = divmod(pitch - 12, 12)
    if octave < _LOWEST_OCTAVE:
        raise ValueError(f"pitch {pitch} lies below C2 (36), the lowest note of the corpus")
    return _STEPS[pitch_class] << (octave - _LOWEST_OCTAVE)


def period_frames(pitch: int) -> int:
    """After how many frames a tone of a MIDI pitch repeats: 1, 2, 4 or 8."""
    return PHASE_PERIOD_FRAMES // math.gcd(PHASE_PERIOD_FRAMES, grid_steps(pitch))


def frequency_hz(pitch: int) -> float:
    """Frequency of a MIDI pitch from C2 (36) upwards."""
    return grid_steps(pitch) * PITCH_STEP_HZ


def beats_per_minute(frames_per_beat: int) -> float:
    return 60 * FRAMES_PER_SECOND / frames_per_beat


def nearest_tempo(bpm: float) -> int:
    """Frames a beat of the tempo nearest to ``bpm`` by ratio."""
    return min(TEMPI, key=lambda frames: abs(math.log(beats_per_minute(frames) / bpm)))


def frames_in(minutes: float) -> int:
    """Whole frames in a length of time."""
    return round(minutes * 60 * FRAMES_PER_SECOND)
