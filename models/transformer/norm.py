"""RMSNorm with float32 statistics."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    """x / rms(x) · weight, computed in float32, for bfloat16 squares lose the small terms, and in the weight's dtype.

    So a stream may be wider than what the blocks along it compute in.
    """

    def __init__(self, size: int, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype == self.weight.dtype and (x.dtype == torch.float32 or x.is_cuda):
            # One kernel on a GPU, with float32 inside.
            return F.rms_norm(x, self.weight.shape, self.weight, self.epsilon)
        wide = x.float()
        scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.epsilon)
        return (wide * scale * self.weight.float()).to(self.weight.dtype)
