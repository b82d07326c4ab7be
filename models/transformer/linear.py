"""Linear layers whose rows do not depend on their neighbours during decoding."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Linear(nn.Linear):
    """``nn.Linear`` by way of ``linear``."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return linear(x, self.weight, self.bias)


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """x [B, T, in] · weight [out, in] → [B, T, out].

    On a CPU a float32 product rounds a row differently among 3 rows than among 4 or alone, so a decoded token would
    depend on the other tracks of its batch. Single-token steps are therefore products of two rows each, whatever the
    batch; with the weight ``by_columns`` one of them costs about what a single row does, and two tracks are the usual
    batch.
    """
    step = x.dim() == 3 and x.shape[1] == 1
    if not step or x.dtype != torch.float32 or x.device.type != "cpu" or torch.is_grad_enabled():
        return F.linear(x, weight, bias)
    rows = len(x)
    even = torch.cat([x, x[-1:]]) if rows % 2 else x
    if len(even) == 2:
        return F.linear(even, weight, bias)[:rows]
    return torch.cat([F.linear(pair, weight, bias) for pair in torch.split(even, 2)])[:rows]


def by_columns(weight: torch.Tensor) -> torch.Tensor:
    """The same weight [out, in], laid out so that two rows are multiplied in one pass over it."""
    return weight.T.contiguous().T


def lay_out_for_steps(blocks: nn.Module) -> None:
    """Lay the matrices of blocks that compute in float32 on a CPU out ``by_columns``, one after the other, in place."""
    for module in blocks.modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor) and weight.dim() == 2 and weight.device.type == "cpu":
            weight.data = by_columns(weight.data)
