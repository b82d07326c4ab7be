"""Plans drawn at random, within what was asked for."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from training.corpus.genres import (
    BASS_INSTRUMENTS,
    CHORD_INSTRUMENTS,
    GENRES,
    LEAD_INSTRUMENTS,
    PAD_INSTRUMENTS,
    DrumStyle,
    Genre,
    GenreStyle,
)
from training.corpus.grid import TEMPI
from training.corpus.harmony import KEYS, Key, Scale
from training.corpus.song_plan import MINUTES, Density, SongPlan
from training.corpus.voices import Voice

T = TypeVar("T")

_VISITOR = 0.04
"""How often a part or a tempo is one its genre does not know, so that prompts may mix freely."""
_SUNG = 0.15
"""How many songs are sung where nothing else was asked."""
_SOLO_PIANO = 0.03
"""How many are for piano alone, over a quiet bass."""


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """What a plan must be. Each field lists what is allowed, or is None where all is.

    ``plays`` are choices of instruments: of each, one must play, in whatever part.
    """

    genre: frozenset[Genre] | None = None
    frames_per_beat: frozenset[int] | None = None
    scale: frozenset[Scale] | None = None
    key: frozenset[Key] | None = None
    chord: frozenset[str] | None = None
    bass: frozenset[str] | None = None
    lead: frozenset[str] | None = None
    drums: frozenset[DrumStyle] | None = None
    density: frozenset[Density] | None = None
    voice: frozenset[Voice | None] | None = None
    plays: tuple[frozenset[str], ...] = ()

    def allow(self, plan: SongPlan) -> bool:
        """Whether the plan is within them."""
        values = {name: getattr(plan, name) for name in _CHOICES if name != "scale"} | {"scale": plan.key.scale}
        within = all(allowed is None or values[name] in allowed for name, allowed in self._choices())
        return within and all(choice & plan.instruments for choice in self.plays)

    def __and__(self, other: Constraints) -> Constraints:
        """Both together; where they contradict each other, the first holds."""
        merged: dict[str, Any] = {"plays": self.plays + other.plays}
        for (name, mine), (_, theirs) in zip(self._choices(), other._choices(), strict=True):
            both = mine if theirs is None else theirs if mine is None else mine & theirs
            merged[name] = mine if both is not None and not both else both
        return Constraints(**merged)

    def _choices(self) -> list[tuple[str, frozenset[Any] | None]]:
        return [(name, getattr(self, name)) for name in _CHOICES]


SOLO_PIANO = Constraints(
    chord=frozenset({"piano"}),
    lead=frozenset({"piano"}),
    drums=frozenset({DrumStyle.NONE}),
    density=frozenset({Density.SPARSE}),
    voice=frozenset({None}),
)
_CHOICES = tuple(field.name for field in fields(Constraints) if field.name != "plays")


def draw_plan(
    rng: random.Random, constraints: Constraints | None = None, *, minutes: Sequence[int] = MINUTES
) -> SongPlan:
    """A plan without lyrics, within the constraints as far as one song can: a third lead instrument is left out."""
    wanted = constraints or Constraints()
    if rng.random() < _SOLO_PIANO:
        wanted = wanted & SOLO_PIANO
    genre = rng.choice(_genres_for(wanted))
    style = GENRES[genre]
    tempo = _draw_tempo(rng, style, wanted.frames_per_beat)
    keys = [key for key in _within(KEYS, wanted.key) if wanted.scale is None or key.scale in wanted.scale]
    key = rng.choice(keys or KEYS)
    density = rng.choice(_within(Density, wanted.density))
    drums = _draw(rng, (style.drums,), tuple(DrumStyle), wanted.drums)

    chord = _draw(rng, style.chords, CHORD_INSTRUMENTS, wanted.chord)
    bass = _draw(rng, style.basses, BASS_INSTRUMENTS, wanted.bass)
    lead = _draw(rng, style.leads, LEAD_INSTRUMENTS, wanted.lead)
    pad = rng.choice([name for name in style.pads if name != chord] or ["synth_pad"])
    for choice in wanted.plays:
        if choice & {chord, bass, lead} or (choice & {pad} and density is not Density.SPARSE):
            continue
        # A wish goes to the first part that can grant it and holds no other wish.
        claimed = frozenset[str]().union(*(other for other in wanted.plays if other is not choice))
        if chord not in claimed and (able := choice.intersection(CHORD_INSTRUMENTS)):
            chord = rng.choice(sorted(able))
        elif lead not in claimed and (able := choice.intersection(LEAD_INSTRUMENTS)):
            lead = rng.choice(sorted(able))
        elif able := choice.intersection(BASS_INSTRUMENTS):
            bass = rng.choice(sorted(able))
        elif (able := choice.intersection(PAD_INSTRUMENTS)) and density is not Density.SPARSE:
            pad = rng.choice(sorted(able))
    return SongPlan(
        genre=genre,
        frames_per_beat=tempo,
        key=key,
        chord=chord,
        bass=bass,
        lead=lead,
        pad=None if density is Density.SPARSE else pad,
        drums=drums,
        density=density,
        minutes=rng.choice(tuple(minutes)),
        voice=_draw_voice(rng, wanted.voice),
    )


def tempi_of(style: GenreStyle) -> tuple[int, ...]:
    """All tempi a style can be played at."""
    return tuple(tempo for tempo in TEMPI if not style.swing or tempo % 3 == 0)


def nearest_tempo_of(style: GenreStyle, wanted: Iterable[int]) -> int:
    """Of all tempi a style can be played at the one that is nearest to any of those that are ``wanted``."""
    tempi = tuple(wanted)
    return min(tempi_of(style), key=lambda tempo: min(abs(math.log(tempo / each)) for each in tempi))


def _genres_for(wanted: Constraints) -> list[Genre]:
    """Genres that are allowed, and of these such as can be played at an allowed tempo if there are any."""
    genres, tempi = _within(Genre, wanted.genre), wanted.frames_per_beat
    return [genre for genre in genres if tempi is None or not tempi.isdisjoint(tempi_of(GENRES[genre]))] or genres


def _within(everything: Iterable[T], allowed: frozenset[T] | None) -> list[T]:
    return [item for item in everything if allowed is None or item in allowed]


def _draw(rng: random.Random, typical: Sequence[T], everything: Sequence[T], allowed: frozenset[T] | None) -> T:
    """One of the typical choices, now and then any other, within what is allowed if there is any such."""
    first, second = (everything, typical) if rng.random() < _VISITOR else (typical, everything)
    return rng.choice(_within(first, allowed) or _within(second, allowed) or list(typical))


def _draw_tempo(rng: random.Random, style: GenreStyle, allowed: frozenset[int] | None) -> int:
    """A tempo as any choice; where none is allowed, as in a swing at 95 beats a minute, the nearest to one that is."""
    playable = tempi_of(style)
    if allowed is not None and allowed.isdisjoint(playable):
        return nearest_tempo_of(style, allowed)
    return _draw(rng, style.tempi, playable, allowed)


def _draw_voice(rng: random.Random, allowed: frozenset[Voice | None] | None) -> Voice | None:
    sings = rng.random() < _SUNG
    voices = _within(Voice, allowed)
    if voices and (sings or (allowed is not None and None not in allowed)):
        return rng.choice(voices)
    return None
