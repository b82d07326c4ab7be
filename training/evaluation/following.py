"""Whether songs are what was asked for: own requests against other songs', generated songs against originals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from training.evaluation.asked import Asked
from training.evaluation.heard import Heard
from training.evaluation.intervals import Estimate, estimate
from training.evaluation.onsets import share_on_grid


@dataclass(frozen=True)
class Meter:
    """``states``: whether a request speaks of it. ``fits``: how well a song does what it says, from 0 to 1."""

    states: Callable[[Asked], bool]
    fits: Callable[[Asked, Heard], float]

    def judge(self, asked: Asked, heard: Heard) -> float:
        """``fits``; a song of no frames fits nothing."""
        return self.fits(asked, heard) if len(heard.onsets) else 0.0


def _plays_what_is_asked(asked: Asked, heard: Heard) -> float:
    return float(np.mean([bool(choice & {heard.chord, heard.lead}) for choice in asked.instruments]))


def _on_grid(asked: Asked, heard: Heard) -> float:
    assert asked.frames_per_beat is not None  # a request that states no tempo is not measured
    return share_on_grid(heard.onsets, asked.frames_per_beat, asked.offbeat)


METERS: dict[str, Meter] = {
    "genre": Meter(lambda asked: asked.genre is not None, lambda asked, heard: float(asked.genre is heard.genre)),
    "tempo grid": Meter(lambda asked: asked.frames_per_beat is not None, _on_grid),
    "exact tempo": Meter(
        lambda asked: asked.frames_per_beat is not None,
        lambda asked, heard: float(asked.frames_per_beat == heard.frames_per_beat),
    ),
    "key and mode": Meter(lambda asked: asked.key is not None, lambda asked, heard: float(asked.key == heard.key)),
    "instrument": Meter(lambda asked: bool(asked.instruments), _plays_what_is_asked),
    "drums": Meter(
        lambda asked: asked.drums is not None,
        lambda asked, heard: float(asked.drums is not None and heard.drums in asked.drums),
    ),
    "vocal or not": Meter(lambda asked: True, lambda asked, heard: float(asked.sung == (heard.singer is not None))),
    "singer": Meter(lambda asked: asked.singer is not None, lambda asked, heard: float(asked.singer is heard.singer)),
}


class Following(TypedDict):
    """One meter: the songs with their own requests, with all others' that state it, and originals with their own."""

    right: Estimate
    shuffled: float
    originals: Estimate


def follow_requests(meter: Meter, asked: Sequence[Asked], heard: Sequence[Heard]) -> Estimate:
    """How well songs do what their own requests say, of those that speak of it; ValueError when none does."""
    return estimate([meter.judge(*pair) for pair in zip(asked, heard, strict=True) if meter.states(pair[0])])


def measure_following(
    asked: Sequence[Asked], generated: Sequence[Heard], originals: Sequence[Heard]
) -> dict[str, Following]:
    """Every meter; song i of both lists was asked for by request i. ValueError when too few requests speak of one."""
    found: dict[str, Following] = {}
    for name, meter in METERS.items():
        stating = [place for place, request in enumerate(asked) if meter.states(request)]
        if len(stating) < 2:
            raise ValueError(f"{len(stating)} of {len(asked)} requests speak of {name}: too few to shuffle. Ask more.")
        found[name] = Following(
            right=follow_requests(meter, asked, generated),
            shuffled=round(shuffled_mean(meter.judge, [asked[i] for i in stating], [generated[i] for i in stating]), 4),
            originals=follow_requests(meter, asked, originals),
        )
    return found


def shuffled_mean(fits: Callable[[Asked, Heard], float], asked: Sequence[Asked], heard: Sequence[Heard]) -> float:
    """The mean over all pairs of a song and another song's request."""
    values = [fits(request, song) for i, request in enumerate(asked) for j, song in enumerate(heard) if i != j]
    return sum(values) / len(values)
