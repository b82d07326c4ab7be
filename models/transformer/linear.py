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

    On a CPU a float32 product rounds a lone row differently from rows in company, so a decoded token would depend on
    the other tracks of its batch. Two rows and more all round alike if the weight lies by columns (``by_columns``): a
    lone row is therefore given a companion, which costs next to nothing.
    """
    alone = x.dim() == 3 and x.shape[0] == x.shape[1] == 1
    if not alone or x.dtype != torch.float32 or x.device.type != "cpu" or torch.is_grad_enabled():
        return F.linear(x, weight, bias)
    return F.linear(x.repeat(2, 1, 1), weight, bias)[:1]


def by_columns(weight: torch.Tensor) -> torch.Tensor:
    """The same weight [out, in], laid out so that a few rows are multiplied in one pass over it, each as if alone."""
    return weight.T.contiguous().T


def lay_out_for_steps(blocks: nn.Module) -> None:
    """Lay the matrices of blocks that compute in float32 on a CPU out ``by_columns``, one after the other, in place."""
    for module in blocks.modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, torch.Tensor) and weight.dim() == 2 and weight.device.type == "cpu":
            weight.data = by_columns(weight.data)
