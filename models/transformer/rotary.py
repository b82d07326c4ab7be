"""Rotary positions, half-rotation form.

Legend: T time, D head size.
"""

from __future__ import annotations

from typing import NamedTuple

import torch


class Rotation(NamedTuple):
    """Cosines and sines of some positions, float32, [..., T, D/2]; broadcast over heads."""

    cos: torch.Tensor
    sin: torch.Tensor

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """Rotate x [..., T, D] in float32: a bfloat16 angle would blur far positions."""
        first, second = x.float().chunk(2, dim=-1)
        turned = (first * self.cos - second * self.sin, second * self.cos + first * self.sin)
        return torch.cat(turned, dim=-1).to(x.dtype)


def rotation_of(positions: torch.Tensor, head_size: int, base: float) -> Rotation:
    """The rotation of whole-number positions [..., T]."""
    exponents = torch.arange(0, head_size, 2, dtype=torch.float32, device=positions.device) / head_size
    angles = positions.unsqueeze(-1).float() * (1.0 / base**exponents)
    return Rotation(angles.cos(), angles.sin())
