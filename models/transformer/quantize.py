"""Weights of the blocks in eight bits: half of bfloat16's memory, for cards on which that decides.

Legend: O outputs, I inputs.
"""

from __future__ import annotations

from enum import Enum

import torch
import torch.nn.functional as F
from torch import nn

from models.transformer.linear import Linear
from models.transformer.model import Transformer

_LARGEST = 127


class Quantize(str, Enum):
    """What the weights of the blocks are kept in; activations, embeddings and output rows stay as they are."""

    NONE = "none"
    INT8 = "int8"


class Int8Linear(nn.Module):
    """x · Wᵀ · s + b, where W is int8 [O, I] and s float32 [O], so that the largest weight of a row is ±127."""

    weight: torch.Tensor
    scale: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, exact: nn.Linear) -> None:
        super().__init__()
        wide = exact.weight.float()
        scale = wide.abs().amax(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) / _LARGEST
        self.register_buffer("weight", (wide / scale).round().to(torch.int8))
        self.register_buffer("scale", scale.squeeze(1))
        self.register_buffer("bias", exact.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = (F.linear(x, self.weight.to(x.dtype)) * self.scale).to(x.dtype)
        return rows if self.bias is None else rows + self.bias


def quantize_blocks(model: Transformer) -> Transformer:
    """The model with every matrix of its blocks in int8, one at a time, in place."""
    for block in model.blocks:
        for name, module in list(block.named_modules()):
            if isinstance(module, Linear):
                parent, _, own = name.rpartition(".")
                setattr(block.get_submodule(parent), own, Int8Linear(module))
    return model
