"""What a request asks for in so many words: only that can be followed, and only that is measured."""

from __future__ import annotations

from dataclasses import dataclass

from core.request import Mode
from training.corpus.dataset import Song
from training.corpus.genres import DrumStyle, Genre
from training.corpus.harmony import Key
from training.corpus.tags import constraints_in
from training.corpus.voices import Voice


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request. What it leaves open is None; ``instruments`` are choices of which one each should be heard.

    ``frames_per_beat`` and ``offbeat`` are of the tempo that is meant: the request's number, at which its genre can be
    played.
    """

    genre: Genre | None
    frames_per_beat: int | None
    offbeat: int
    key: Key | None
    instruments: tuple[frozenset[str], ...]
    drums: frozenset[DrumStyle] | None
    sung: bool
    singer: Voice | None
    minutes: int


def asked_of(song: Song) -> Asked:
    """What the request of a song of the corpus asks for; of instruments only those its chords or its lead grant."""
    stated, plan = constraints_in(song.request.metadata_text), song.plan

    def is_pinned(choices: frozenset[object] | None) -> bool:
        return choices is not None and len(choices) == 1

    return Asked(
        genre=plan.genre if is_pinned(stated.genre) else None,
        frames_per_beat=plan.frames_per_beat if is_pinned(stated.frames_per_beat) else None,
        offbeat=plan.offbeat,
        key=plan.key if is_pinned(stated.key) else None,
        instruments=tuple(choice for choice in stated.plays if choice & {plan.chord, plan.lead}),
        drums=stated.drums,
        sung=song.request.mode is Mode.VOCAL,
        singer=plan.voice if is_pinned(stated.voice) else None,
        minutes=song.request.duration_minutes,
    )
