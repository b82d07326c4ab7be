"""A training run that can stop anywhere: steps, its curve, its state on disk, and going on from there to the bit.

Knows nothing of what is trained. Batches are numbered by their step, so a resumed run reads what an unbroken one would.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import nn

from models.devices import multiplies_bfloat16
from training.optimiser import Optimiser
from training.run_log import RunLog

BatchT = TypeVar("BatchT")
Objective = Callable[[BatchT], tuple[torch.Tensor, torch.Tensor]]
"""From a batch to the loss and its figures."""


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 in the products of a step, but on processors that do not multiply it and would take longer."""
    fast = device.type != "cpu" or multiplies_bfloat16()
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


class Loop(Generic[BatchT]):
    """One run, kept in ``OUT/NAME.state.pt`` and ``OUT/NAME.csv``."""

    def __init__(
        self, out: Path, name: str, module: nn.Module, optimiser: Optimiser, *, recipe: str, steps: int
    ) -> None:
        """Goes on from the state on disk if there is one; SystemExit when that is another recipe's."""
        self._state, self._curve = out / f"{name}.state.pt", out / f"{name}.csv"
        self._module, self._optimiser = module, optimiser
        self._recipe, self._steps = recipe, steps
        self.step = self._tokens = 0
        if self._state.exists():
            self._resume()

    def run(
        self,
        batches: Iterator[tuple[BatchT, int]],
        objective: Objective[BatchT],
        *,
        figures: Sequence[str],
        rate: Callable[[int], float],
        evaluate: Callable[[], torch.Tensor],
        until: float = math.inf,
        until_step: float = math.inf,
        report_every: int = 20,
        keep_every: int = 200,
    ) -> bool:
        """Train on; whether the last step is done. It also stops at a ``time.monotonic()`` or a step.

        ``batches`` are those that are left, each with its number of tokens; ``evaluate`` measures held-out songs.
        """
        log = RunLog(self._curve, figures, steps=self._steps, first_step=self.step)
        seen: list[torch.Tensor] = []
        kept = self.step
        for batch, tokens in batches:
            if self.step >= until_step or time.monotonic() > until:
                break
            loss, found = objective(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step(rate(self.step))
            self.step += 1
            self._tokens += tokens
            seen.append(found)
            if self.step % report_every == 0:
                log.write("train", self.step, self._tokens, torch.stack(seen).mean(0).tolist())
                seen.clear()
            if self.step % keep_every == 0 or self.step == self._steps:
                log.write("held out", self.step, self._tokens, evaluate().tolist())
                self._keep()
                kept = self.step
        if self.step != kept:
            self._keep()
        return self.step == self._steps

    def _keep(self) -> None:
        state = {
            "recipe": self._recipe,
            "trainer": self._module.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self.step,
            "tokens": self._tokens,
        }
        unfinished = self._state.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(self._state)

    def _resume(self) -> None:
        device = next(self._module.parameters()).device
        state = torch.load(self._state, map_location=device, weights_only=True)
        if state["recipe"] != self._recipe:
            raise SystemExit(f"{self._state} belongs to another recipe: {state['recipe']}. Name another --out.")
        self._module.load_state_dict(state["trainer"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step, self._tokens = state["step"], state["tokens"]
