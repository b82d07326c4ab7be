"""The weights of all blocks as the kernels read them: in the fewest bits that hold them, one array a kind.

A step is spent on reading weights. Checkpoints store them in 16 bits, so those that were widened to float32 are 16-bit
numbers still.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import nn

from models.cpu.arithmetic import Floats, Weights
from models.transformer.linear import Linear
from models.transformer.model import Block, Transformer
from models.transformer.quantize import Int8Linear

_LEAST_HALF = 2.0**-24
"""What is smaller half precision rounds to it or to nothing; beside float32's own rounding of a sum that is nothing."""

_AS_STORED = {torch.float16: torch.int16, torch.bfloat16: torch.uint16}
"""Numba knows neither format, and half precision has a sign of its own to be told from bfloat16 by."""


class Matrices(NamedTuple):
    """One matrix of every block: weight [L, out, in] in any format of ``widen``, scale and bias [L, out]."""

    weight: Weights
    scale: Floats
    bias: Floats


class BlockWeights(NamedTuple):
    """All that a step reads of the blocks; norms [L, H]."""

    attention_norm: Floats
    qkv: Matrices
    out: Matrices
    ffn_norm: Floats
    gate_up: Matrices
    down: Matrices


def blocks_for_kernels(model: Transformer) -> BlockWeights:
    """The blocks' weights; their matrices become views of them, so that nothing is in memory twice."""
    blocks = [cast(Block, block) for block in model.blocks]
    kinds: list[list[nn.Module]] = [
        [block.attention.qkv for block in blocks],
        [block.attention.out for block in blocks],
        [block.ffn.gate_up for block in blocks],
        [block.ffn.down for block in blocks],
    ]
    formats = [_format_of(kind) for kind in kinds]
    qkv, out, gate_up, down = (_stacked(kind, dtype) for kind, dtype in zip(kinds, formats, strict=True))
    return BlockWeights(
        attention_norm=_rows([block.attention_norm.weight for block in blocks]),
        qkv=qkv,
        out=out,
        ffn_norm=_rows([block.ffn_norm.weight for block in blocks]),
        gate_up=gate_up,
        down=down,
    )


def for_kernels(weight: torch.Tensor) -> Weights:
    """One matrix [out, in] as the kernels read it."""
    narrow = weight.detach().to(narrowest(weight)).contiguous()
    return as_array(narrow)


def narrowest(weight: torch.Tensor) -> torch.dtype:
    """The format of the fewest bits that holds all of a matrix."""
    if weight.dtype != torch.float32:
        return weight.dtype
    if torch.equal(weight.bfloat16().float(), weight):
        return torch.bfloat16
    holds = bool(((weight - weight.half()).abs() <= _LEAST_HALF / 2).all())
    return torch.float16 if holds else torch.float32


def as_array(tensor: torch.Tensor) -> Weights:
    """The same memory, for NumPy and Numba."""
    stored = _AS_STORED.get(tensor.dtype)
    array: Weights = (tensor if stored is None else tensor.view(stored)).numpy()
    return array


def _format_of(kind: list[nn.Module]) -> torch.dtype:
    found = {narrowest(cast(torch.Tensor, module.weight)) for module in kind}
    return found.pop() if len(found) == 1 else torch.float32


def _stacked(kind: list[nn.Module], dtype: torch.dtype) -> Matrices:
    first = cast(torch.Tensor, kind[0].weight)
    stack = torch.empty(len(kind), *first.shape, dtype=dtype)
    for kept, module in zip(stack, kind, strict=True):
        kept.copy_(cast(torch.Tensor, module.weight))
        if isinstance(module, Linear):
            module.weight = nn.Parameter(kept, requires_grad=False)
        else:
            module.weight = kept
    ones, zeros = torch.ones(len(first)), torch.zeros(len(first))
    return Matrices(
        weight=as_array(stack),
        scale=_rows([module.scale if isinstance(module, Int8Linear) else ones for module in kind]),
        bias=_rows([zeros if module.bias is None else cast(torch.Tensor, module.bias) for module in kind]),
    )


def _rows(vectors: list[torch.Tensor]) -> Floats:
    rows: Floats = torch.stack([vector.detach().float() for vector in vectors]).numpy()
    return rows
