"""Who plays in which bar of a form.

Every section differs from the one before it, and from earlier sections of its kind, in who plays: so where a song
stands, and how far it is from its end, can be heard in any few bars of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from training.corpus.form import PHRASE_BARS, Section, SectionKind
from training.corpus.song_plan import Density, SongPlan


class DrumLevel(IntEnum):
    """How much of the kit is played; at least something keeps the time."""

    TIME = 0
    LIGHT = 1
    FULL = 2


class LeadUse(IntEnum):
    """When the lead plays: never, in the second half of each phrase, or throughout."""

    SILENT = 0
    ANSWERS = 1
    THROUGHOUT = 2


@dataclass(frozen=True, kw_only=True)
class Texture:
    """The parts of one bar; ``lifted`` adds a clap at its end, ``fill`` leads over to the next section."""

    bass: bool
    pad: bool
    lead: LeadUse
    drums: DrumLevel
    crash: bool
    lifted: bool
    fill: bool


def texture(plan: SongPlan, section: Section, bar: int) -> Texture:
    """Who plays in a bar of a section, counted from the section's first."""
    first, last = bar == 0, bar == section.bars - 1
    later_half = 2 * bar >= section.bars
    number, phrase = section.number, bar // PHRASE_BARS
    bass, pad, lead, drums = True, False, LeadUse.SILENT, DrumLevel.FULL
    if section.kind is SectionKind.INTRO:
        # All that a prompt speaks of is heard at once, so that it is learnt from the songs' beginnings.
        bass, lead, drums = later_half, LeadUse.THROUGHOUT, DrumLevel.LIGHT if later_half else DrumLevel.TIME
    elif section.kind is SectionKind.VERSE:
        lead, drums = LeadUse.ANSWERS, DrumLevel.LIGHT if number == 1 else DrumLevel.FULL
    elif section.kind is SectionKind.CHORUS:
        pad, lead = number != 1, LeadUse.THROUGHOUT
    elif section.kind is SectionKind.BRIDGE:
        bass, pad, drums = number != 1, True, DrumLevel.TIME
    else:
        drums = DrumLevel.TIME
    if plan.density is Density.DENSE:
        pad = True
    elif plan.density is Density.SPARSE:
        pad = False
    return Texture(
        bass=bass,
        pad=pad and plan.pad is not None,
        lead=LeadUse.SILENT if plan.voice and section.is_sung else lead,
        drums=drums,
        crash=first and section.kind in (SectionKind.CHORUS, SectionKind.OUTRO),
        lifted=phrase % 2 == 1 or number >= 3,
        fill=last and section.kind is not SectionKind.OUTRO,
    )
