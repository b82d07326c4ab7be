"""The building blocks of the Descript audio codec, with plain weights (contract section 5).

Submodules have the names of Descript's classes, so that a state dict of theirs with the weight norm folded in fits.
Legend: B batch, C channels, T time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.codec.convolution import DownsamplingConv1d, SamePaddingConv1d, UpsamplingConv1d

_DILATIONS = (1, 3, 9)


class Snake(nn.Module):
    """x + sin²(αx) / α, one α a channel: [B, C, T] → [B, C, T]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x_BCT: Tensor) -> Tensor:
        # One buffer for all steps; where a gradient is wanted, autograd copies what it needs by itself.
        return (self.alpha * x_BCT).sin_().square_().mul_((self.alpha + 1e-9).reciprocal()).add_(x_BCT)


class ResidualUnit(nn.Module):
    """Two Snakes and convolutions (kernels 7 and 1) beside an identity: [B, C, T] → [B, C, T]."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            Snake(channels),
            SamePaddingConv1d(channels, channels, 7, dilation=dilation),
            Snake(channels),
            SamePaddingConv1d(channels, channels, 1),
        )

    def forward(self, x_BCT: Tensor) -> Tensor:
        branch: Tensor = self.block(x_BCT)
        return branch.add_(x_BCT)


class EncoderBlock(nn.Module):
    """Three residual units, then a step down in time: [B, C / 2, T·stride] → [B, C, T], C = ``channels``."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            *(ResidualUnit(channels // 2, dilation) for dilation in _DILATIONS),
            Snake(channels // 2),
            DownsamplingConv1d(channels // 2, channels, stride),
        )

    def forward(self, x_BCT: Tensor) -> Tensor:
        y_BCT: Tensor = self.block(x_BCT)
        return y_BCT


class DecoderBlock(nn.Module):
    """A step up in time, then three residual units: [B, in, T] → [B, out, T·stride]."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            Snake(in_channels),
            UpsamplingConv1d(in_channels, out_channels, stride),
            *(ResidualUnit(out_channels, dilation) for dilation in _DILATIONS),
        )

    def forward(self, x_BCT: Tensor) -> Tensor:
        y_BCT: Tensor = self.block(x_BCT)
        return y_BCT
