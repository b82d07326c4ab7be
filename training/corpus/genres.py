"""The genres of the corpus: which tempi, instruments and patterns make each recognisable.

Patterns are named here and written out in ``accompaniment`` and ``drumming``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Genre(str, Enum):
    """Families of style; many names people use fall into each (see ``tags``)."""

    POP = "pop"
    ROCK = "rock"
    ELECTRONIC = "electronic"
    HIP_HOP = "hip-hop"
    BALLAD = "ballad"
    JAZZ = "jazz"
    SYNTHWAVE = "synthwave"
    FOLK = "folk"
    CINEMATIC = "cinematic"
    CHIPTUNE = "chiptune"


class DrumStyle(str, Enum):
    """What the drummer plays."""

    NONE = "none"
    BACKBEAT = "backbeat"
    ROCK = "rock"
    FOUR_ON_THE_FLOOR = "four_on_the_floor"
    BOOM_BAP = "boom_bap"
    SOFT = "soft"
    SWING = "swing"
    MACHINE = "machine"
    SHAKER = "shaker"
    TOMS = "toms"
    CHIP = "chip"


@dataclass(frozen=True, kw_only=True)
class GenreStyle:
    """Choices a genre offers for each part; a choice that is typical is listed first."""

    tempi: tuple[int, ...]
    chords: tuple[str, ...]
    basses: tuple[str, ...]
    leads: tuple[str, ...]
    pads: tuple[str, ...]
    drums: DrumStyle
    chord_pattern: str
    bass_pattern: str
    swing: bool = False


GENRES: dict[Genre, GenreStyle] = {
    Genre.POP: GenreStyle(
        tempi=(11, 13),
        chords=("piano", "electric_piano"),
        basses=("finger_bass",),
        leads=("flute", "square_lead"),
        pads=("strings",),
        drums=DrumStyle.BACKBEAT,
        chord_pattern="arpeggio",
        bass_pattern="bounce",
    ),
    Genre.ROCK: GenreStyle(
        tempi=(9, 11),
        chords=("distorted_guitar", "organ"),
        basses=("pick_bass",),
        leads=("electric_guitar",),
        pads=("organ", "strings"),
        drums=DrumStyle.ROCK,
        chord_pattern="power",
        bass_pattern="eighths",
    ),
    Genre.ELECTRONIC: GenreStyle(
        tempi=(8, 11),
        chords=("saw_stack", "synth_pad"),
        basses=("sub_bass",),
        leads=("square_lead", "saw_stack"),
        pads=("synth_pad",),
        drums=DrumStyle.FOUR_ON_THE_FLOOR,
        chord_pattern="offbeats",
        bass_pattern="offbeats",
    ),
    Genre.HIP_HOP: GenreStyle(
        tempi=(13, 15),
        chords=("electric_piano", "synth_pad"),
        basses=("sub_bass",),
        leads=("bell", "flute"),
        pads=("synth_pad", "strings"),
        drums=DrumStyle.BOOM_BAP,
        chord_pattern="held",
        bass_pattern="syncopated",
    ),
    Genre.BALLAD: GenreStyle(
        tempi=(15, 17),
        chords=("piano", "acoustic_guitar"),
        basses=("finger_bass",),
        leads=("violin", "piano"),
        pads=("strings",),
        drums=DrumStyle.SOFT,
        chord_pattern="held",
        bass_pattern="halves",
    ),
    Genre.JAZZ: GenreStyle(
        tempi=(9, 15),
        chords=("electric_piano", "piano"),
        basses=("pick_bass",),
        leads=("saxophone", "trumpet"),
        pads=("organ",),
        drums=DrumStyle.SWING,
        chord_pattern="comping",
        bass_pattern="walking",
        swing=True,
    ),
    Genre.SYNTHWAVE: GenreStyle(
        tempi=(11, 13),
        chords=("saw_stack", "synth_pad"),
        basses=("synth_bass",),
        leads=("square_lead", "bell"),
        pads=("synth_pad",),
        drums=DrumStyle.MACHINE,
        chord_pattern="arpeggio",
        bass_pattern="eighths",
    ),
    Genre.FOLK: GenreStyle(
        tempi=(9, 13),
        chords=("acoustic_guitar",),
        basses=("cello",),
        leads=("violin", "flute"),
        pads=("strings", "organ"),
        drums=DrumStyle.SHAKER,
        chord_pattern="strum",
        bass_pattern="alternating",
    ),
    Genre.CINEMATIC: GenreStyle(
        tempi=(15, 17),
        chords=("strings", "piano"),
        basses=("cello",),
        leads=("trumpet", "violin"),
        pads=("strings", "synth_pad"),
        drums=DrumStyle.TOMS,
        chord_pattern="held",
        bass_pattern="halves",
    ),
    Genre.CHIPTUNE: GenreStyle(
        tempi=(8, 9),
        chords=("chip_pulse",),
        basses=("sub_bass",),
        leads=("chip_pulse", "square_lead"),
        pads=("square_lead",),
        drums=DrumStyle.CHIP,
        chord_pattern="ripple",
        bass_pattern="alternating",
    ),
}


def _all_of(part: str) -> tuple[str, ...]:
    return tuple(sorted({name for style in GENRES.values() for name in getattr(style, part)}))


CHORD_INSTRUMENTS = _all_of("chords")
BASS_INSTRUMENTS = _all_of("basses")
LEAD_INSTRUMENTS = _all_of("leads")
PAD_INSTRUMENTS = _all_of("pads")
"""Who can play each part in some genre; any of them may visit any genre."""
