"""Prompts as people write them: tag lists in any order and subset, and sentences; both may hold words without meaning.

A prompt never says anything of its plan that is not so; what it leaves out, the model is free to choose.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from training.corpus.genres import GENRES
from training.corpus.grid import beats_per_minute
from training.corpus.planning import tempi_of
from training.corpus.song_plan import SongPlan
from training.corpus.tags import NO_AUDIBLE_EFFECT, Aspect, tags_describing

_SAID = {
    # how often a prompt speaks of an aspect
    Aspect.GENRE: 0.92,
    Aspect.INSTRUMENT: 0.8,
    Aspect.BASS: 0.3,
    Aspect.DRUMS: 0.35,
    Aspect.VOICE: 0.6,
    Aspect.MOOD: 0.6,
    Aspect.TEMPO: 0.75,
    Aspect.ARRANGEMENT: 0.3,
    Aspect.KEY: 0.55,
}
_EMPTY, _NUMERIC_TEMPO, _ROUND_TEMPO, _NOISE, _LOWER_CASE = 0.03, 0.75, 0.6, 0.35, 0.25
_MOST_INSTRUMENTS = 3
_COMMON_TEMPI = (60, 65, 70, 75, 80, 85, 90, 95, 100, 105, 110, 115, 120, 125, 128, 130, 140, 150, 160, 170, 174, 180)
_FASTER_THAN_ALL, _SLOWER_THAN_ALL = 1.2, 0.8
"""How far beyond the fastest and the slowest tempo people still ask for."""

_NOISE_TAGS = (
    *sorted(NO_AUDIBLE_EFFECT),
    *("Ocean", "Road Trip", "Late Night", "Coffee Shop", "80s", "90s", "Summer", "Cat", "Rain", "Study", "Gaming"),
    *("Workout", "Wedding", "Viral", "TikTok", "Birthday", "Space", "Desert", "Neon", "Samurai", "Robots", "Forest"),
    *("High Quality", "Masterpiece", "Kawaii", "Vlog"),
)
_NOISE_CLAUSES = (
    *("for a rainy evening", "about my cat", "for a road trip", "like the credits of a film", "for my grandmother"),
    *("about the sea", "to wake up to", "for studying late at night", "about robots who learn to dance"),
    *("for a wedding", "about a train that never stops", "inspired by old photographs", "for the end of summer"),
)


def tag_prompt(plan: SongPlan, rng: random.Random, *, complete: bool = False) -> str:
    """A comma-separated tag list that fits the plan; a complete one speaks of every aspect, the tempo in numbers."""
    if rng.random() < _EMPTY and not complete:
        return ""
    said = _choose(plan, rng, complete=complete)
    tags = [tag for aspect in said.values() for tag in aspect]
    if rng.random() < _NOISE:
        tags += rng.sample(_NOISE_TAGS, rng.randint(1, 3))
    rng.shuffle(tags)
    if rng.random() < _LOWER_CASE:
        tags = [tag.lower() for tag in tags]
    return rng.choice((", ", ", ", ", ", ",")).join(tags)


def sentence_prompt(plan: SongPlan, rng: random.Random, *, complete: bool = False) -> str:
    """A description in a sentence or two that fits the plan; ``complete`` as for tags."""
    if rng.random() < _EMPTY and not complete:
        return ""
    said = _choose(plan, rng, complete=complete)
    head = _head(said, plan, rng)
    clauses = [write(said[aspect], rng) for aspect, write in _CLAUSES.items() if aspect in said]
    if rng.random() < _NOISE:
        clauses.append(rng.choice(_NOISE_CLAUSES))
    rng.shuffle(clauses)
    if len(clauses) > 2 and rng.random() < 0.5:
        later = clauses.pop()
        sentence = f"{head}{_joined(clauses, rng)}. {later[0].upper()}{later[1:]}."
    else:
        sentence = head + _joined(clauses, rng) + rng.choice(("", ".", ".", "!"))
    return sentence.lower() if rng.random() < _LOWER_CASE else sentence[0].upper() + sentence[1:]


def tempo_number(plan: SongPlan, rng: random.Random) -> int:
    """Beats a minute as a person would ask for this tempo: nearer to it than to any other the genre can have."""
    tempi = tempi_of(GENRES[plan.genre])
    place = tempi.index(plan.frames_per_beat)
    faster, slower = (
        math.sqrt(plan.bpm * beats_per_minute(tempi[other])) if 0 <= other < len(tempi) else plan.bpm * ratio
        for other, ratio in ((place - 1, _FASTER_THAN_ALL), (place + 1, _SLOWER_THAN_ALL))
    )
    near = [bpm for bpm in _COMMON_TEMPI if slower < bpm < faster]
    if near and rng.random() < _ROUND_TEMPO:
        return rng.choice(near)
    if rng.random() < 0.5:
        return round(plan.bpm)
    return rng.randint(math.ceil(slower), math.floor(faster))


def _choose(plan: SongPlan, rng: random.Random, *, complete: bool) -> dict[Aspect, list[str]]:
    """Tags that fit the plan, of some aspects or of all."""
    said: dict[Aspect, list[str]] = {}
    for aspect, fitting in tags_describing(plan).items():
        if rng.random() >= _SAID[aspect] and not complete:
            continue
        if aspect is Aspect.TEMPO and (rng.random() < _NUMERIC_TEMPO or complete):
            said[aspect] = [f"{tempo_number(plan, rng)} BPM"]
        elif fitting:
            most = _MOST_INSTRUMENTS if aspect is Aspect.INSTRUMENT else 2 if aspect is Aspect.MOOD else 1
            count = most if complete else rng.randint(1, most)
            said[aspect] = rng.sample(fitting, min(len(fitting), count))
    return said


def _head(said: dict[Aspect, list[str]], plan: SongPlan, rng: random.Random) -> str:
    """The start of the sentence: mood, genre, and what kind of thing it is."""
    moods = " and ".join(said.get(Aspect.MOOD, ())).lower()
    genre = said[Aspect.GENRE][0] if Aspect.GENRE in said else ""
    nouns = ("song", "track", "piece", "tune") if plan.voice else ("track", "piece", "tune", "instrumental")
    described = " ".join(word for word in (moods, genre, rng.choice(nouns)) if word)
    article = "an" if described[0].lower() in "aeiou" else "a"
    opening = rng.choice(
        ("{a} {x}", "{a} {x}", "make me {a} {x}", "write {a} {x}", "I want {a} {x}", "please compose {a} {x}", "{x}")
    )
    return opening.format(a=article, x=described)


def _listed(things: list[str]) -> str:
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"


def _instruments(tags: list[str], rng: random.Random) -> str:
    return rng.choice(("with {}", "featuring {}", "led by {}", "built around {}")).format(
        _listed([t.lower() for t in tags])
    )


def _tempo(tags: list[str], rng: random.Random) -> str:
    tempo = tags[0]
    if tempo.endswith("BPM"):
        number = tempo.removesuffix(" BPM")
        return rng.choice(("at {} BPM", "around {} bpm", "{} BPM", "tempo {} BPM")).format(number)
    return rng.choice(("at a {}", "with a {}", "in a {}")).format(tempo.lower())


def _voice(tags: list[str], rng: random.Random) -> str:
    if tags[0] == "Instrumental":
        return rng.choice(("without vocals", "no singing", "purely instrumental"))
    return rng.choice(("with {}", "{}", "sung with {}")).format(tags[0].lower())


_CLAUSES: dict[Aspect, Callable[[list[str], random.Random], str]] = {
    Aspect.INSTRUMENT: _instruments,
    Aspect.BASS: lambda tags, rng: rng.choice(("over {}", "with {}")).format(tags[0].lower()),
    Aspect.DRUMS: lambda tags, rng: rng.choice(("driven by {}", "with {}")).format(tags[0].lower()),
    Aspect.VOICE: _voice,
    Aspect.TEMPO: _tempo,
    Aspect.ARRANGEMENT: lambda tags, rng: f"in a {tags[0].lower()}",
    Aspect.KEY: lambda tags, rng: rng.choice(("in {}", "in the key of {}", "key: {}")).format(tags[0]),
}


def _joined(clauses: list[str], rng: random.Random) -> str:
    joints = (", ", ", ", " ")
    return "".join(rng.choice(joints) + clause for clause in clauses)
