"""What a song is to be, decided before a note of it is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from training.corpus.genres import (
    BASS_INSTRUMENTS,
    CHORD_INSTRUMENTS,
    GENRES,
    LEAD_INSTRUMENTS,
    PAD_INSTRUMENTS,
    DrumStyle,
    Genre,
)
from training.corpus.grid import BEATS_PER_BAR, TEMPI, beats_per_minute
from training.corpus.harmony import KEYS, Key
from training.corpus.voices import Voice

MINUTES = (1, 2, 3)
"""Lengths a song of the corpus can be asked for."""


class Density(str, Enum):
    """How much plays at once: sparse songs have no pad, dense ones always one."""

    SPARSE = "sparse"
    NORMAL = "normal"
    DENSE = "dense"


def offbeat_of(frames_per_beat: int, *, swing: bool) -> int:
    """Frames from a beat to the note between it and the next: half of it, or two thirds when it swings."""
    return 2 * frames_per_beat // 3 if swing else (frames_per_beat + 1) // 2


@dataclass(frozen=True, kw_only=True)
class SongPlan:
    """A song's style, parts, length and words; ValueError when they do not fit together.

    ``voice`` sings ``lyrics``, one string a line; an instrumental song has neither.
    """

    genre: Genre
    frames_per_beat: int
    key: Key
    chord: str
    bass: str
    lead: str
    pad: str | None
    drums: DrumStyle
    density: Density
    minutes: int
    voice: Voice | None = None
    lyrics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        choices: list[tuple[str, object, tuple[object, ...]]] = [
            ("frames_per_beat", self.frames_per_beat, TEMPI),
            ("key", self.key, KEYS),
            ("chord", self.chord, CHORD_INSTRUMENTS),
            ("bass", self.bass, BASS_INSTRUMENTS),
            ("lead", self.lead, LEAD_INSTRUMENTS),
            ("pad", self.pad, (None, *PAD_INSTRUMENTS)),
            ("minutes", self.minutes, MINUTES),
        ]
        for name, value, allowed in choices:
            if value not in allowed:
                raise ValueError(f"{name} {value!r} does not exist in the corpus; it must be one of {allowed}")
        if (self.density is Density.SPARSE) != (self.pad is None):
            raise ValueError("a song has a pad unless it is sparse")
        if self.swing and self.frames_per_beat % 3:
            raise ValueError(f"a beat of {self.frames_per_beat} frames cannot swing: it must be a multiple of 3")
        if self.lyrics and self.voice is None:
            raise ValueError("lyrics need a voice")

    @property
    def bpm(self) -> float:
        return beats_per_minute(self.frames_per_beat)

    @property
    def bar_frames(self) -> int:
        return BEATS_PER_BAR * self.frames_per_beat

    @property
    def swing(self) -> bool:
        return GENRES[self.genre].swing

    @property
    def offbeat(self) -> int:
        """Frames from a beat to the note between it and the next."""
        return offbeat_of(self.frames_per_beat, swing=self.swing)

    @property
    def instruments(self) -> frozenset[str]:
        """Everything that plays notes."""
        return frozenset(name for name in (self.chord, self.bass, self.lead, self.pad) if name)
