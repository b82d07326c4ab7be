"""What the demo's backbone reads and for how long: rounds of stages, and the rates that rise and fall over each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

from models.transformer.config import TransformerConfig
from training.listening import Stage
from training.optimiser import Rounds, Schedule
from training.reading import Reading

ROTARY_BASE = 10_000.0
WARM_UP_STEPS = 40
RESTART_SHARE = 0.5
_FINISH_SEED = 161_803


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the result, given the codec."""

    reading: Reading
    rounds: tuple[tuple[Stage, ...], ...]
    """The stages that come one after another, in rounds: in each the rates rise and fall once, from the second on only
    ``RESTART_SHARE`` as high."""
    finish: tuple[Stage, ...] = ()
    """What is read at last, as it is served (``training.finish``)."""
    finish_rate: float = 3e-4
    width: int = 256
    layers: int = 6
    heads: int = 4
    head_size: int = 64
    muon_rate: float = 4e-3
    adam_rate: float = 1.5e-3
    fall: float = 0.18
    """Share of a round's steps over which the rates fall."""
    seed: int = 0

    @property
    def config(self) -> TransformerConfig:
        return TransformerConfig(
            num_layers=self.layers,
            hidden_size=self.width,
            num_heads=self.heads,
            num_groups=self.heads,
            head_size=self.head_size,
            ffn_size=-(-self.width * 8 // 3 // 64) * 64,
            rotary_base=ROTARY_BASE,
        )

    @property
    def stages(self) -> tuple[Stage, ...]:
        return tuple(itertools.chain.from_iterable(self.rounds))

    @property
    def steps(self) -> int:
        return self.reading.steps + sum(stage.steps for stage in self.stages)

    @property
    def finish_seed(self) -> int:
        """Seed of the songs that are read at last, so that none is read a second time."""
        return _FINISH_SEED + self.seed

    @property
    def finish_steps(self) -> int:
        return sum(stage.steps for stage in self.finish)

    @property
    def finish_schedule(self) -> Schedule:
        """What the rate of the finish is multiplied by at each of its steps."""
        return Schedule(steps=self.finish_steps, warm_up=min(WARM_UP_STEPS, self.finish_steps), fall=self.fall)

    @property
    def schedule(self) -> Rounds:
        """What the rates are multiplied by at each step; the first round begins with the reading."""
        lengths = [sum(stage.steps for stage in stages) for stages in self.rounds]
        lengths[0] += self.reading.steps
        rounds = (
            Schedule(steps=steps, warm_up=min(WARM_UP_STEPS, max(1, steps // 20)), fall=self.fall) for steps in lengths
        )
        return Rounds(rounds=tuple(rounds), share=RESTART_SHARE)


_EXCERPTS = Stage(steps=10, songs=10, length=448, minutes=(1, 1, 1, 2, 3), excerpts=4)
_BEGINNINGS = Stage(steps=15, songs=10, length=448, minutes=(1, 1, 1, 2, 3), excerpts=3)
_WHOLE = Stage(steps=20, songs=2, length=2912, minutes=(1, 1, 1, 2, 3), spliced=0.4)
_SUNG_BEGINNINGS, _SUNG_WHOLE = (replace(stage, sung=0.4) for stage in (_BEGINNINGS, _WHOLE))
"""They take turns: in whole songs alone, where one frame in a thousand is a beginning, beginnings are forgotten."""
_OPENINGS = Stage(steps=8, songs=18, length=256, minutes=(1, 1, 1, 2, 3))
_ENTRANCES = replace(_BEGINNINGS, steps=8, excerpts=6, entrances=6, sung=0.7)
_LONG = Stage(steps=4, songs=1, length=8192, minutes=(2, 3, 3), spliced=0.4, sung=0.4)
"""Who plays is decided in the first bar, who sings when the verse begins, and where a long song ends far from both."""
_LATE = (_OPENINGS, replace(_OPENINGS, complete=True), _ENTRANCES, replace(_SUNG_WHOLE, steps=14), _LONG)

_SERVED = (
    replace(_WHOLE, steps=12, length=3328, spliced=0.3, held=0.5, sung=0.5, pasted=0.5),
    replace(_BEGINNINGS, steps=4, length=640, excerpts=0, held=0.3, sung=0.5, pasted=0.3),
    replace(_ENTRANCES, steps=4, held=0.3, pasted=0.3),
    replace(_LONG, steps=1, held=0.5, pasted=0.3),
)
"""Whole songs mostly, with room for long lyrics: what is mended there happens in their middle."""

_ROUNDS: tuple[tuple[Stage, ...], ...] = (
    (
        Stage(steps=1050, songs=10, length=448, complete=True, excerpts=6),
        Stage(steps=300, songs=10, length=448, minutes=(1, 2, 3), complete=True, excerpts=6),
        *(_EXCERPTS, _WHOLE) * 48,
    ),
    (_BEGINNINGS, _WHOLE) * 48,
    (_SUNG_BEGINNINGS, _SUNG_WHOLE) * 56,
    _LATE * 40,
    tuple(replace(stage, rivals=not stage.spliced) for stage in _LATE) * 27,
)


def _with_more_songs(times: int, rounds: Iterable[Iterable[Stage]]) -> tuple[tuple[Stage, ...], ...]:
    """The rounds with so many times the songs a step."""
    return tuple(
        tuple(
            replace(
                stage, songs=times * stage.songs, excerpts=times * stage.excerpts, entrances=times * stage.entrances
            )
            for stage in stages
        )
        for stages in rounds
    )


_CPU = Recipe(
    reading=Reading(steps=150, prompts=40, beside=8, length=128),
    rounds=_ROUNDS,
    finish=_SERVED * 24,
    muon_rate=3e-3,
    adam_rate=1.1e-3,
    fall=0.9,
)

RECIPES = {
    "cpu": _CPU,
    "gpu": replace(
        _CPU,
        reading=Reading(steps=300, prompts=128, beside=32, length=160),
        rounds=_with_more_songs(4, _ROUNDS),
    ),
    "miniature": Recipe(
        reading=Reading(steps=20, prompts=8, beside=2, length=128),
        rounds=(
            (Stage(steps=60, songs=2, length=448, spliced=0.5), Stage(steps=6, songs=1, length=2912)),
            (Stage(steps=6, songs=6, length=256, rivals=True),),
        ),
        finish=(Stage(steps=4, songs=2, length=448, held=0.5, sung=0.5, pasted=0.5),),
        width=64,
        layers=4,
        heads=2,
        head_size=32,
    ),
}
"""For two CPU cores with nothing else to do, for one GPU, for a test of the whole."""
