"""Which songs a stage of the training hears: beginnings, and excerpts from anywhere in a song."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from core.token_layout import COARSE_LAYERS
from training.corpus.dataset import Corpus, Example, Examples
from training.corpus.genres import CHORD_INSTRUMENTS, GENRES, LEAD_INSTRUMENTS
from training.corpus.song_plan import SongPlan

_ALIKE = 0.5
"""How often a rival plays what is as usual in the genre, or as unusual, as what it plays instead of."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of the training in which each step reads so many ids of so many songs of so many minutes.

    ValueError when it has more excerpts than songs, more entrances than excerpts, or excerpts among songs that went
    astray.
    """

    steps: int
    songs: int
    length: int
    minutes: tuple[int, ...] = (1,)
    complete: bool = False
    """Whether prompts leave nothing open, so that words and sounds are learnt in pairs."""
    spliced: float = 0.0
    """Share of songs that are read as if they had gone astray (``training.splices``)."""
    excerpts: int = 0
    """So many of the songs are read from any of their frames on, at the distance from the prompt that these have."""
    entrances: int = 0
    """So many of the excerpts begin shortly before an instrument or the voice is first heard."""
    rivals: bool = False
    """Whether songs read from their start come with what other instruments would have played, to be told from it."""
    sung: float = 0.0
    """Share of songs that are sung for certain; the others are as often as the corpus is."""
    pasted: float = 0.0
    """Share of songs whose lyrics, if they are sung, are as people paste them (``training.corpus.lyrics_writer``)."""
    held: float = 0.0
    """Share of songs that are read as if they had stood still now and then (``training.holds``)."""

    def __post_init__(self) -> None:
        if self.excerpts > self.songs:
            raise ValueError(f"{self.excerpts} excerpts of {self.songs} songs")
        if self.entrances > self.excerpts:
            raise ValueError(f"{self.entrances} entrances in {self.excerpts} excerpts")
        if self.excerpts and self.spliced:
            raise ValueError("only songs that are read from their start can go astray")


def stage_of_step(stages: Iterable[Stage], step: int) -> tuple[Stage, int]:
    """The stage that a step, counted from 0, belongs to, and the number of its first song: songs are numbered
    throughout, so each is heard once. IndexError behind the last step."""
    first_song = 0
    for stage in stages:
        if step < stage.steps:
            return stage, first_song + step * stage.songs
        step -= stage.steps
        first_song += stage.steps * stage.songs
    raise IndexError(f"the stages end {step + 1} steps before")


def songs_of_step(
    stage: Stage, corpus: Corpus, seed: int, first: int, songs: int, rng: np.random.Generator
) -> list[Example]:
    """Songs ``first`` … of a seed as the stage hears them, its beginnings before its excerpts; ``rng`` says who sings
    for certain and where excerpts begin. Excerpts run to their song's end."""
    frames = stage.length // COARSE_LAYERS

    @cache
    def examples(sung: bool, pasted: bool, most: int | None) -> Examples:
        return corpus.examples(
            seed, minutes=stage.minutes, max_frames=most, complete=stage.complete, sung=sung, pasted=pasted
        )

    def hear(number: int, most: int | None, rivals: bool = False) -> Example:
        sung = bool(stage.sung) and rng.random() < stage.sung
        pasted = bool(stage.pasted) and rng.random() < stage.pasted
        made = examples(sung, pasted, most)
        song = made.example(number)
        return replace(song, rival=made.rival(song, played_by_others(song.plan, rng))) if rivals else song

    heard = [hear(number, frames, stage.rivals) for number in range(first, first + songs - stage.excerpts)]
    for place, number in enumerate(range(first + len(heard), first + songs)):
        whole = hear(number, None)
        entrances = _late_entrances(whole, frames // 2) if place < stage.entrances else []
        if entrances:
            begin = rng.choice(entrances) - rng.integers(frames // 2)
        else:
            begin = rng.integers(1, whole.num_frames - frames // 2)
        heard.append(whole.from_frame(int(begin)))
    return heard


def _late_entrances(song: Example, frames: int) -> list[int]:
    """The frames on which an instrument or the voice is first heard, if these are not among the first ``frames``."""
    starts = song.composition.first_starts()
    found = {starts[name] for name in song.plan.instruments & starts.keys()}
    found |= {vowel.start for vowel in song.composition.sung[:1]}
    return sorted(start for start in found if start >= frames)


def played_by_others(plan: SongPlan, rng: np.random.Generator) -> SongPlan:
    """The plan with another lead, other chords, or both.

    Either of two instruments is as often the other's rival, so where the prompt leaves open which it is, being told
    from its rivals makes neither likelier.
    """
    changed = int(rng.integers(1, 4))
    style = GENRES[plan.genre]
    chord = _other_than(plan.chord, style.chords, CHORD_INSTRUMENTS, rng) if changed & 1 else plan.chord
    lead = _other_than(plan.lead, style.leads, LEAD_INSTRUMENTS, rng) if changed & 2 else plan.lead
    return replace(plan, chord=chord, lead=lead)


def _other_than(own: str, usual: Sequence[str], every: Sequence[str], rng: np.random.Generator) -> str:
    others = [one for one in every if one != own]
    if rng.random() < _ALIKE:
        others = [one for one in others if (one in usual) == (own in usual)]
    return str(rng.choice(others)) if others else own
