"""Keys, scales and chords: scale degrees to pitches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from training.corpus.grid import period_frames


class Scale(str, Enum):
    """Major, or natural minor."""

    MAJOR = "major"
    MINOR = "minor"


_INTERVALS = {Scale.MAJOR: (0, 2, 4, 5, 7, 9, 11), Scale.MINOR: (0, 2, 3, 5, 7, 8, 10)}
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")

BASS_FLOOR, TENOR_FLOOR, MIDDLE_FLOOR, LEAD_FLOOR = 36, 48, 60, 72
"""Lowest pitch of the octave each part is written in: bass, low voice, chords and high voice, lead."""

_MOST_BASS_FRAMES = 4


def _bass_pitch(pitch_class: int) -> int:
    deep, higher = BASS_FLOOR + pitch_class, TENOR_FLOOR + pitch_class
    return deep if period_frames(deep) <= _MOST_BASS_FRAMES else higher


BASS_PITCHES = tuple(_bass_pitch(pitch_class) for pitch_class in range(12))
"""Of each pitch class the lowest that repeats soon: tones that take eight frames are an octave higher."""


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class, C = 0) and a scale."""

    tonic: int
    scale: Scale

    @property
    def name(self) -> str:
        """As people write it, e.g. "A Minor"."""
        return f"{_NAMES[self.tonic]} {self.scale.value.capitalize()}"

    @property
    def pitch_classes(self) -> frozenset[int]:
        return frozenset((self.tonic + interval) % 12 for interval in _INTERVALS[self.scale])

    def pitch(self, degree: int, floor: int) -> int:
        """Pitch of a scale degree (0 = tonic), folded into the octave that starts at ``floor``, a C."""
        return floor + (self.tonic + _INTERVALS[self.scale][degree % 7]) % 12

    def bass(self, degree: int) -> int:
        """Pitch of a scale degree for the bass: as low as it may be (``BASS_PITCHES``)."""
        return BASS_PITCHES[self.pitch(degree, 0)]

    def triad(self, root: int, floor: int) -> tuple[int, int, int]:
        """Root, third and fifth of the chord on a scale degree, each folded into one octave."""
        return self.pitch(root, floor), self.pitch(root + 2, floor), self.pitch(root + 4, floor)


KEYS = tuple(Key(tonic, Scale.MAJOR) for tonic in (0, 7, 5)) + tuple(Key(tonic, Scale.MINOR) for tonic in (9, 4, 2))
"""C, G and F major with their relative minors A, E and D: nine pitch classes in all."""

PITCH_CLASSES = tuple(sorted(frozenset[int]().union(*(key.pitch_classes for key in KEYS))))

PROGRESSIONS = {
    # Four bars each, as degrees of the scale. All start from the tonic, which tells a key from its relative.
    Scale.MAJOR: ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 4, 4), (0, 3, 0, 4)),
    Scale.MINOR: ((0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 4), (0, 5, 3, 4)),
}
