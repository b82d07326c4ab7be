"""Rotary positions, half-rotation form.

Legend: T time, D head size.
"""

from __future__ import annotations

from typing import NamedTuple

import torch


class Rotation(NamedTuple):
    """Cosines and sines of some positions, float32, [..., T, D]; the first half's sines are negative."""

    cos: torch.Tensor
    sin: torch.Tensor

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """Rotate x [..., T, D] in float32: a bfloat16 angle would blur far positions."""
        wide = x.float()
        return (wide * self.cos + wide.roll(x.shape[-1] // 2, -1) * self.sin).to(x.dtype)

    def at(self, places: torch.Tensor) -> Rotation:
        """Of positions 0, 1, 2 …, one a track, [tracks, 1, 1, D]."""
        cos, sin = (table.index_select(0, places)[:, None, None] for table in self)
        return Rotation(cos, sin)


def rotation_of(positions: torch.Tensor, head_size: int, base: float) -> Rotation:
    """The rotation of whole-number positions [..., T]."""
    exponents = torch.arange(0, head_size, 2, dtype=torch.float32, device=positions.device) / head_size
    angles = positions.unsqueeze(-1).float() * (1.0 / base**exponents)
    cos, sin = angles.cos(), angles.sin()
    return Rotation(torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1))
