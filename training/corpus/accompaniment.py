"""What chords and bass play in a bar, in half beats: the patterns that genres name."""

from __future__ import annotations

from typing import NamedTuple

HALF_BEATS = 8
"""Half beats a bar."""


class Stroke(NamedTuple):
    """Notes struck together: the half beat, how many half beats they last, and which notes of a chord or scale."""

    step: int
    steps: int
    notes: tuple[int, ...]


_TRIAD = (0, 1, 2)
_EVERY = range(HALF_BEATS)

CHORD_PATTERNS: dict[str, tuple[Stroke, ...]] = {
    # notes: 0 root, 1 third, 2 fifth
    "held": (Stroke(0, 4, _TRIAD), Stroke(4, 4, _TRIAD)),
    "beats": tuple(Stroke(step, 2, _TRIAD) for step in (0, 2, 4, 6)),
    "power": tuple(Stroke(step, 2, (0, 2)) for step in (0, 2, 4, 6)),
    "offbeats": tuple(Stroke(step, 1, _TRIAD) for step in (1, 3, 5, 7)),
    "arpeggio": tuple(Stroke(step, 1, ((0, 1, 2, 1)[step % 4],)) for step in _EVERY),
    "ripple": tuple(Stroke(step, 1, ((0, 2, 1, 2)[step % 4],)) for step in _EVERY),
    "comping": (Stroke(0, 1, _TRIAD), Stroke(3, 2, _TRIAD), Stroke(6, 1, _TRIAD)),
    "strum": (
        Stroke(0, 2, _TRIAD),
        Stroke(2, 1, _TRIAD),
        Stroke(3, 2, _TRIAD),
        Stroke(5, 1, _TRIAD),
        Stroke(6, 2, _TRIAD),
    ),
}

BASS_PATTERNS: dict[str, tuple[Stroke, ...]] = {
    # notes: degrees of the scale above the chord's root
    "bounce": (Stroke(0, 2, (0,)), Stroke(3, 1, (0,)), Stroke(4, 2, (0,)), Stroke(7, 1, (0,))),
    "eighths": tuple(Stroke(step, 1, (0,)) for step in _EVERY),
    "offbeats": tuple(Stroke(step, 1, (0,)) for step in (1, 3, 5, 7)),
    "syncopated": (Stroke(0, 3, (0,)), Stroke(3, 1, (0,)), Stroke(5, 2, (0,))),
    "halves": (Stroke(0, 4, (0,)), Stroke(4, 4, (0,))),
    "walking": tuple(Stroke(step, 2, (note,)) for step, note in ((0, 0), (2, 4), (4, 0), (6, 4))),
    "alternating": (Stroke(0, 2, (0,)), Stroke(4, 2, (4,))),
}

PAD_PATTERN = CHORD_PATTERNS["held"]
