"""The weights of all blocks as the kernels read them: in the fewest bits that hold them, one array a kind.

A step is spent on reading weights. Checkpoints store them in 16 bits, so those that were widened to float32 are 16-bit
numbers still.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from llvmlite.binding import get_host_cpu_features
from torch import nn

from models.cpu.arithmetic import Floats, Weights
from models.transformer.linear import Linear
from models.transformer.model import Block, Transformer
from models.transformer.quantize import Int8Linear

_AS_STORED = {torch.float16: torch.int16, torch.bfloat16: torch.uint16}
"""Numba knows neither format; integers with and without a sign tell them apart."""
_WIDENS_HALF = get_host_cpu_features().get("f16c", True)
"""Very old x86 processors do not, and nothing else would do it for them."""


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
    qkv, out, gate_up, down = map(_stacked, kinds)
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
    return as_array(weight.detach().to(narrowest([weight])).contiguous())


def narrowest(weights: list[torch.Tensor]) -> torch.dtype:
    """The format of the fewest bits that holds all of some matrices."""
    stored = {weight.dtype for weight in weights}
    if len(stored) == 1 and torch.float32 not in stored:
        return stored.pop()
    for dtype in (torch.bfloat16, torch.float16) if _WIDENS_HALF else (torch.bfloat16,):
        if all(torch.equal(weight.to(dtype).float(), weight.float()) for weight in weights):
            return dtype
    return torch.float32


def as_array(tensor: torch.Tensor) -> Weights:
    """The same memory, for NumPy and Numba."""
    stored = _AS_STORED.get(tensor.dtype)
    array: Weights = (tensor if stored is None else tensor.view(stored)).numpy()
    return array


def _stacked(kind: list[nn.Module]) -> Matrices:
    weights = [cast(torch.Tensor, module.weight) for module in kind]
    first = weights[0]
    stack = torch.empty(len(kind), *first.shape, dtype=narrowest(weights))
    del weights  # each is to leave as it is copied
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
