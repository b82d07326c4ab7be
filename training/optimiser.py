"""Muon on the matrices of the blocks, AdamW on everything else, one schedule for both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Warm-up, a flat middle, then a linear fall to almost nothing over the last part."""

    steps: int
    warm_up: int
    fall: float = 0.45
    floor: float = 0.02

    def factor(self, step: int) -> float:
        """What the learning rates are multiplied by at a step, counted from 0."""
        rise = (step + 1) / self.warm_up
        left = (self.steps - step) / (self.fall * self.steps) if self.fall else 1.0
        return min(1.0, rise, max(left, 0.0) + self.floor)


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """Schedules one after another, all but the first at a share of the rates (warm restarts, arXiv:1608.03983)."""

    rounds: tuple[Schedule, ...]
    share: float

    def factor(self, step: int) -> float:
        """What the learning rates are multiplied by at a step, counted from 0."""
        height = 1.0
        for schedule in self.rounds:
            if step < schedule.steps:
                return height * schedule.factor(step)
            step -= schedule.steps
            height = self.share
        raise IndexError(step)


class Optimiser:
    """Both optimisers as one; its state dict holds both of theirs.

    ``delicate`` are matrices of the blocks whose numbers mean something: AdamW moves them too, and without decay.
    ``muon_rate`` None leaves all of them to it.
    """

    def __init__(
        self, module: nn.Module, *, muon_rate: float | None, adam_rate: float, delicate: Iterable[torch.Tensor] = ()
    ) -> None:
        matrices, tables, others = [], [], []
        spared = {id(parameter) for parameter in (module.parameters() if muon_rate is None else delicate)}
        for name, parameter in module.named_parameters():
            if id(parameter) in spared:
                others.append(parameter)
            elif ".blocks." in f".{name}" and parameter.dim() == 2:
                matrices.append(parameter)
            elif parameter.dim() == 2:
                tables.append(parameter)
            else:
                others.append(parameter)
        groups = [{"params": tables, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
        adam = torch.optim.AdamW(groups, lr=adam_rate, betas=(0.9, 0.95), fused=True)
        self._parts: dict[str, tuple[torch.optim.Optimizer, float]] = {"adam": (adam, adam_rate)}
        if muon_rate is not None:
            muon = torch.optim.Muon(
                matrices, lr=muon_rate, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"
            )
            self._parts["muon"] = (muon, muon_rate)
        self._module = module

    def step(self, factor: float) -> None:
        """Apply the gradients at this share of the full rates and clear them."""
        nn.utils.clip_grad_norm_(self._module.parameters(), 1.0)
        for part, rate in self._parts.values():
            for group in part.param_groups:
                group["lr"] = rate * factor
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        return {name: part.state_dict() for name, (part, _) in self._parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, (part, _) in self._parts.items():
            part.load_state_dict(state[name])
