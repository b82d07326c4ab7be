"""What the checkpoint must reach to ship, what it aims for, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from training.evaluation.results import Section

Sections = Mapping[str, Section]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A figure with what it should be and what it must be; ``at_most`` says that smaller is better."""

    name: str
    figure: Callable[[Sections], float]
    goal: float
    ship: float
    at_most: bool = False
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A goal and the figure that was measured."""

    goal: Goal
    value: float

    @property
    def reached(self) -> bool:
        return self._within(self.goal.goal)

    @property
    def ships(self) -> bool:
        return self._within(self.goal.ship)

    def _within(self, bound: float) -> bool:
        return self.value <= bound if self.goal.at_most else self.value >= bound


def _right(meter: str) -> Callable[[Sections], float]:
    return lambda sections: float(sections["following"][meter]["right"]["mean"])


def _shuffled(meter: str) -> Callable[[Sections], float]:
    return lambda sections: float(sections["following"][meter]["shuffled"])


def _of_originals(meter: str) -> Callable[[Sections], float]:
    def share(sections: Sections) -> float:
        found: dict[str, Any] = sections["following"][meter]
        return float(found["right"]["mean"] / found["originals"]["mean"])

    return share


GOALS = (
    Goal(name="codec SI-SDR, 64 layers", figure=lambda s: s["codec"]["si-sdr"]["64"], goal=22, ship=20, unit="dB"),
    Goal(name="codec SI-SDR, 2 layers", figure=lambda s: s["codec"]["si-sdr"]["2"], goal=14, ship=12, unit="dB"),
    Goal(name="genre", figure=_right("genre"), goal=0.98, ship=0.9),
    Goal(name="genre, shuffled requests", figure=_shuffled("genre"), goal=0.2, ship=0.3, at_most=True),
    Goal(name="onsets on the asked tempo's grid", figure=_right("tempo grid"), goal=0.99, ship=0.9),
    Goal(name="the same, shuffled requests", figure=_shuffled("tempo grid"), goal=0.3, ship=0.35, at_most=True),
    Goal(name="lead or chord instrument", figure=_right("instrument"), goal=0.98, ship=0.9),
    Goal(name="key and mode, share of originals", figure=_of_originals("key and mode"), goal=0.95, ship=0.8),
    Goal(
        name="ends within 20 % of the asked length",
        figure=lambda s: s["endings"]["ended within 20 %"]["mean"],
        goal=0.9,
        ship=0.7,
    ),
    Goal(
        name="the same, sung with lyrics of any length",
        figure=lambda s: s["sung"]["ended within 20 %"]["mean"],
        goal=0.9,
        ship=0.7,
    ),
    Goal(
        name="of these, stand still for five seconds",
        figure=lambda s: s["sung"]["stood still"]["mean"],
        goal=0.01,
        ship=0.1,
        at_most=True,
    ),
    Goal(
        name="latent SNR that super-resolution adds",
        figure=lambda s: s["superres_gain"]["gain"]["mean"],
        goal=6,
        ship=4,
        unit="dB",
    ),
    Goal(
        name="two 1-minute tracks, start to MP3",
        figure=lambda s: s["speed"]["seconds"],
        goal=45,
        ship=90,
        at_most=True,
        unit="s",
    ),
)


def judge(sections: Sections) -> list[Verdict]:
    """Every goal with its figure, of complete sections."""
    return [Verdict(goal=goal, value=goal.figure(sections)) for goal in GOALS]


def as_table(verdicts: list[Verdict]) -> str:
    """The verdicts as a table in Markdown."""
    lines = ["| figure, held out | measured | goal | to ship | |", "| --- | --- | --- | --- | --- |"]
    for verdict in verdicts:
        goal = verdict.goal
        sign, unit = "≤" if goal.at_most else "≥", f" {goal.unit}" if goal.unit else ""
        said = "goal reached" if verdict.reached else "ships" if verdict.ships else "**fails**"
        bounds = " | ".join(f"{sign} {bound:g}{unit}" for bound in (goal.goal, goal.ship))
        lines.append(f"| {goal.name} | {verdict.value:.3g}{unit} | {bounds} | {said} |")
    return "\n".join(lines)
