"""A training run's figures: one line on the terminal and one row of a CSV file, with the time that is left."""

from __future__ import annotations

import csv
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path


class RunLog:
    """Writes ``step, seconds, tokens`` and the named figures; a resumed run goes on in the same file."""

    def __init__(self, path: Path, figures: Sequence[str], *, steps: int, first_step: int = 0) -> None:
        self._path, self._figures, self._steps, self._first = path, figures, steps, first_step
        self._started = time.perf_counter()
        if first_step == 0 or not path.exists():
            with path.open("w", newline="") as file:
                csv.writer(file).writerow(["step", "kind", "seconds", "tokens", *figures])

    def write(self, kind: str, step: int, tokens: int, values: Sequence[float]) -> None:
        """One row; ``kind`` is ``train`` or ``held out``; a value that is not known is nan."""
        seconds = time.perf_counter() - self._started
        known = {name: value for name, value in zip(self._figures, values, strict=True) if not math.isnan(value)}
        written = (f"{known[name]:.5f}" if name in known else "" for name in self._figures)
        with self._path.open("a", newline="") as file:
            csv.writer(file).writerow([step, kind, f"{seconds:.1f}", tokens, *written])
        done = step - self._first
        left = (self._steps - step) * seconds / done if done else 0.0
        said = "  ".join(f"{name} {value:.3f}" for name, value in known.items())
        sys.stdout.write(
            f"{kind:<8} {step}/{self._steps}  {tokens / 1e6:.2f} M tokens  {left / 60:.0f} min left  {said}\n"
        )
        sys.stdout.flush()
