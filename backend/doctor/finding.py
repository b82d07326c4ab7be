"""One thing that was looked at: how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """Whether it will do."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """``next_step`` is a command or a sentence a person can act on; only what is well has none."""

    name: str
    verdict: Verdict
    text: str
    next_step: str = ""

    def line(self) -> str:
        """As one line, with the next step behind it."""
        step = f" → {self.next_step}" if self.next_step else ""
        return f"{self.verdict.value:<8} {self.name}: {self.text}{step}"


def ok(name: str, text: str) -> Finding:
    return Finding(name=name, verdict=Verdict.OK, text=text)


def warning(name: str, text: str, next_step: str) -> Finding:
    return Finding(name=name, verdict=Verdict.WARNING, text=text, next_step=next_step)


def problem(name: str, text: str, next_step: str) -> Finding:
    return Finding(name=name, verdict=Verdict.PROBLEM, text=text, next_step=next_step)
