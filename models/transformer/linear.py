"""Linear layers whose rows do not depend on their neighbours during decoding."""

from __future__ import annotations

import platform
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import nn

from models.transformer.half_weights import HalfWeights

_TINY_ELEMENTS = 1 << 15
"""Smaller matrices stay next to the core, and calling FBGEMM takes longer than multiplying them."""
_SMALL_ELEMENTS = 1 << 19
"""Smaller matrices stay in the caches, and calling oneDNN takes longer than multiplying them."""
_EVEN_OUTPUTS = 16
"""Unless there is a multiple of so many float32 outputs, MKL rounds the last ones of a second row otherwise than of a
first (seen on Zen 4)."""


StepWeights: TypeAlias = torch.Tensor | HalfWeights
"""A matrix as ``ordered_for_steps`` leaves it; half weights hold its bias."""


class Linear(nn.Linear):
    """``nn.Linear`` by way of ``linear``; what half weights hold is no parameter any more."""

    half_weights: HalfWeights | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return linear(x, self.half_weights or self.weight, self.bias)


def linear(x: torch.Tensor, weight: StepWeights, bias: torch.Tensor | None = None) -> torch.Tensor:
    """x [B, T, in] · weight [out, in] → [B, T, out]; the weight may be ``ordered_for_steps``.

    On a CPU a float32 product rounds a row otherwise alone than in company, and where oneDNN does not make it otherwise
    among 3 rows than among 4; so a decoded token would depend on the other tracks of its batch. Single-token steps are
    therefore never products of one row, and without oneDNN always of two.
    """
    if isinstance(weight, HalfWeights):
        return weight.product(x)
    rows = len(x)
    if weight.is_mkldnn:
        company = torch.cat([x, x]) if x.shape[:-1].numel() == 1 else x
        return _onednn_product(company, weight, bias)[:rows]
    step = x.dim() == 3 and x.shape[1] == 1
    if not step or x.dtype != torch.float32 or x.device.type != "cpu" or torch.is_grad_enabled():
        return F.linear(x, weight, bias)
    even = torch.cat([x, x[-1:]]) if rows % 2 else x
    if len(even) == 2:
        return F.linear(even, weight, bias)[:rows]
    return torch.cat([F.linear(pair, weight, bias) for pair in torch.split(even, 2)])[:rows]


def ordered_for_steps(weight: torch.Tensor, bias: torch.Tensor | None = None) -> StepWeights:
    """The same weight [out, in] in the order in which a few rows are multiplied fastest, for ``linear`` alone.

    On an x86 CPU a float32 matrix that half precision holds is packed as such, unless it is tiny. Another one, if it is
    large, and in float32 if it has an uneven number of outputs, is packed for oneDNN, which passes over it once for any
    number of rows. The rest in float32 is laid out by columns: two rows take one pass, and round alike. What else there
    is stays as it is.
    """
    if weight.device.type != "cpu" or weight.is_mkldnn:
        return weight
    if weight.numel() >= _TINY_ELEMENTS and HalfWeights.can_hold(weight):
        return HalfWeights(weight, bias)
    uneven = weight.dtype == torch.float32 and weight.shape[0] % _EVEN_OUTPUTS != 0
    if (uneven or weight.numel() >= _SMALL_ELEMENTS) and _onednn_multiplies(weight.dtype):
        packed: torch.Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach())
        return packed
    return weight.detach().T.contiguous().T if weight.dtype == torch.float32 else weight


def order_for_steps(blocks: nn.Module) -> None:
    """Bring the matrices of the blocks into that order, one after the other, in place."""
    for module in blocks.modules():
        if isinstance(module, Linear) and not module.half_weights:
            ordered = ordered_for_steps(module.weight, module.bias)
            if isinstance(ordered, HalfWeights):
                module.half_weights = ordered
                module.register_parameter("weight", None)
            else:
                module.weight = nn.Parameter(ordered, requires_grad=False)


def weight_bytes(blocks: nn.Module) -> int:
    """What a step reads of the blocks, in whatever order their matrices are."""
    packed = (module.half_weights for module in blocks.modules() if isinstance(module, Linear))
    half = sum(one.nbytes for one in packed if one)
    return half + sum(tensor.nbytes for tensor in (*blocks.parameters(), *blocks.buffers()))


def _onednn_multiplies(dtype: torch.dtype) -> bool:
    if platform.machine() not in ("x86_64", "AMD64") or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _onednn_product(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return product
