"""The form of a song: which section comes when, worked out from its length and tempo alone.

Nobody states a form in a prompt, so the model must be able to foretell it from what the prompt does state.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from training.corpus.grid import BEATS_PER_BAR, frames_in

PHRASE_BARS = 4
_SHORTEST_OUTRO_BARS = 3


class SectionKind(str, Enum):
    """What a section is in the song."""

    INTRO = "intro"
    VERSE = "verse"
    CHORUS = "chorus"
    BRIDGE = "bridge"
    OUTRO = "outro"


_V, _C, _B = SectionKind.VERSE, SectionKind.CHORUS, SectionKind.BRIDGE
_ORDERS = (
    # fewest phrases between intro and outro, order of the sections they are dealt to
    (2, (_V, _C)),
    (3, (_V, _C, _B)),
    (4, (_V, _C, _B, _C)),
    (10, (_V, _C, _V, _C, _B, _C)),
    (18, (_V, _C, _V, _C, _B, _V, _C, _B, _C)),
)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A stretch of bars; ``number`` counts the sections of a kind from 1."""

    kind: SectionKind
    number: int
    first_bar: int
    bars: int

    @property
    def is_sung(self) -> bool:
        return self.kind in (SectionKind.VERSE, SectionKind.CHORUS)


def song_form(minutes: float, frames_per_beat: int) -> tuple[Section, ...]:
    """The sections of a song, together as many whole bars as come nearest to ``minutes``.

    Intro and outro frame phrases of four bars; the outro takes the bars that make no phrase. ValueError when there is
    not room for two phrases.
    """
    total = round(frames_in(minutes) / (BEATS_PER_BAR * frames_per_beat))
    intro = 2 if total < 24 else 4
    phrases, rest = divmod(total - intro - _SHORTEST_OUTRO_BARS, PHRASE_BARS)
    orders = [order for fewest, order in _ORDERS if fewest <= phrases]
    if not orders:
        raise ValueError(f"{minutes} minutes are too short for a song at {frames_per_beat} frames a beat")
    order = orders[-1]

    # Bridges get their next phrase after all others have.
    turn = sorted(range(len(order)), key=lambda i: order[i] is SectionKind.BRIDGE)
    dealt = [1] * len(order)
    for extra in range(phrases - len(order)):
        dealt[turn[extra % len(order)]] += 1

    lengths = [
        (SectionKind.INTRO, intro),
        *((kind, PHRASE_BARS * count) for kind, count in zip(order, dealt, strict=True)),
        (SectionKind.OUTRO, _SHORTEST_OUTRO_BARS + rest),
    ]
    sections: list[Section] = []
    for kind, bars in lengths:
        number = 1 + sum(section.kind is kind for section in sections)
        first_bar = sections[-1].first_bar + sections[-1].bars if sections else 0
        sections.append(Section(kind=kind, number=number, first_bar=first_bar, bars=bars))
    return tuple(sections)
