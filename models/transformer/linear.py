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

    A float32 matrix product on a CPU rounds differently for 2 rows than for 1, so a decoded token would depend on the
    other tracks of its batch, and it costs twice as much. Single-token steps are therefore one matrix-vector product a
    row, the rows in parallel: equal numbers whatever the batch, and two tracks in about the time of one.
    """
    step = x.dim() == 3 and x.shape[1] == 1
    if not step or x.dtype != torch.float32 or x.device.type != "cpu" or torch.is_grad_enabled():
        return F.linear(x, weight, bias)
    rows = torch.bmm(x, weight.T.expand(x.shape[0], -1, -1))
    return rows if bias is None else rows + bias
