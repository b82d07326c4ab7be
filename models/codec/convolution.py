"""The codec's three convolutions, each output of which is rounded alike wherever it lies in however long an input.

A song decoded in chunks must equal the song decoded in one piece. Mathematically it does as soon as each chunk brings
enough context; in float32 it does only if the order of additions behind an output does not depend on the input's
length. On a CPU two things would break that, and are avoided here: torch hands short inputs to another kernel, and the
kernels for strided and transposed convolutions add up in an order that varies. Resampling by s is therefore done as an
ordinary convolution over patches of s samples. It is the same sum, and on the whole as fast.

With that, CPUs with AVX-512 give equal bits. Without AVX-512 oneDNN's dilated convolution varies too, and other
devices choose kernels as they like: there, chunks differ from one piece by some float32 roundings.

Parameters have the names and shapes of ``nn.Conv1d`` and ``nn.ConvTranspose1d``. Legend: B batch, C channels, T time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_OTHER_KERNEL_BELOW = 20_481
"""Input numbers under which torch convolves a single item on a CPU with its own kernel instead of oneDNN's."""


class SamePaddingConv1d(nn.Conv1d):
    """Convolution with an odd kernel that keeps the length: [B, in, T] → [B, out, T]."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, *, dilation: int = 1) -> None:
        padding = dilation * (kernel_size - 1) // 2
        super().__init__(in_channels, out_channels, kernel_size, padding=padding, dilation=dilation)

    def forward(self, input: Tensor) -> Tensor:
        return _convolve(input, self.weight, self.bias, padding=int(self.padding[0]), dilation=self.dilation[0])


class DownsamplingConv1d(nn.Conv1d):
    """Convolution with stride s, kernel 2·s and padding s / 2: [B, in, T·s] → [B, out, T]."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__(in_channels, out_channels, 2 * stride, stride=stride, padding=stride // 2)

    def forward(self, input: Tensor) -> Tensor:
        stride, channels = self.stride[0], self.in_channels
        padded = F.pad(input, (stride // 2, stride // 2))
        patches = padded.view(len(input), channels, -1, stride).transpose(2, 3).flatten(1, 2)
        weight = self.weight.view(self.out_channels, channels, 2, stride).transpose(2, 3).flatten(1, 2)
        return _convolve(patches, weight, self.bias)


class UpsamplingConv1d(nn.ConvTranspose1d):
    """Transposed convolution with stride s, kernel 2·s and padding s / 2: [B, in, T] → [B, out, T·s]."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__(in_channels, out_channels, 2 * stride, stride=stride, padding=stride // 2)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        stride, channels = self.stride[0], self.out_channels
        # Patch t is the first half of the kernel times position t plus the second half times position t − 1.
        halves = self.weight.view(self.in_channels, channels, 2, stride).flip(2)
        weight = halves.permute(1, 3, 0, 2).flatten(0, 1)
        bias = None if self.bias is None else self.bias.repeat_interleave(stride)
        patches = _convolve(input, weight, bias, padding=1)
        samples = patches.view(len(input), channels, stride, -1).transpose(2, 3).flatten(2)
        return samples[..., stride // 2 : -(stride // 2)]


def _convolve(x_BCT: Tensor, weight: Tensor, bias: Tensor | None, *, padding: int = 0, dilation: int = 1) -> Tensor:
    if x_BCT.device.type == "cpu" and len(x_BCT) == 1 and x_BCT.numel() < _OTHER_KERNEL_BELOW:
        # A second item keeps torch on the kernel it uses for long inputs, and costs little at this size.
        pair = torch.cat([x_BCT, x_BCT])
        return F.conv1d(pair, weight, bias, padding=padding, dilation=dilation)[:1]
    return F.conv1d(x_BCT, weight, bias, padding=padding, dilation=dilation)
