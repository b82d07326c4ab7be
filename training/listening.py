"""Which songs a stage of the training hears: beginnings, and excerpts from anywhere in a song."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from core.token_layout import COARSE_LAYERS
from training.corpus.dataset import Corpus, Example, Examples


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A part of the training in which each step reads so many ids of so many songs of so many minutes.

    ValueError when it has more excerpts than songs, or excerpts among songs that went astray.
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
    sung: float = 0.0
    """Share of songs that are sung for certain; the others are as often as the corpus is."""

    def __post_init__(self) -> None:
        if self.excerpts > self.songs:
            raise ValueError(f"{self.excerpts} excerpts of {self.songs} songs")
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
    def examples(sung: bool, most: int | None) -> Examples:
        return corpus.examples(seed, minutes=stage.minutes, max_frames=most, complete=stage.complete, sung=sung)

    def hear(number: int, most: int | None) -> Example:
        sung = bool(stage.sung) and rng.random() < stage.sung
        return examples(sung, most).example(number)

    heard = [hear(number, frames) for number in range(first, first + songs - stage.excerpts)]
    for number in range(first + len(heard), first + songs):
        whole = hear(number, None)
        heard.append(whole.from_frame(int(rng.integers(1, whole.num_frames - frames // 2))))
    return heard
