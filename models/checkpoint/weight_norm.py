"""Weight normalisation on disk: a convolution's weight as a magnitude g and a direction v, or folded into one tensor.

weight = g · v / ‖v‖, the norm taken over all dimensions but the first, for transposed convolutions too
(contract section 5). Knows the two spellings torch has had for the pair.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_SPELLINGS = (
    ("weight_v", "weight_g"),
    ("parametrizations.weight.original1", "parametrizations.weight.original0"),
)


def stored_names(tensors: Mapping[str, Tensor], name: str) -> tuple[str, ...]:
    """Under which names ``tensors`` hold ``name``: direction (of the same shape) and magnitude, or itself alone."""
    if name.endswith("weight"):
        stem = name.removesuffix("weight")
        for direction, magnitude in _SPELLINGS:
            if stem + direction in tensors or stem + magnitude in tensors:
                return stem + direction, stem + magnitude
    return (name,)


def magnitude_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of the magnitude that goes with a direction of ``shape``."""
    return (shape[0], *(1 for _ in shape[1:]))


def fold_weight(tensors: Mapping[str, Tensor], name: str) -> Tensor:
    """``name`` as one float32 tensor of its own; all its stored parts must be there in the right shapes."""
    first, *rest = (tensors[stored].to(torch.float32, copy=True) for stored in stored_names(tensors, name))
    if not rest:
        return first
    norm = _norm(first)
    # A direction that is all zeros has no norm to divide by: such a filter is silent.
    return first * torch.where(norm > 0, rest[0] / norm, 0.0)


def split_weight(weight: Tensor) -> dict[str, Tensor]:
    """The pair that folds to ``weight`` bit by bit, in the published spelling."""
    norm = _norm(weight)
    # A silent filter is given some direction, as other readers divide by its norm.
    return {"weight_g": norm, "weight_v": torch.where(norm > 0, weight, 1.0)}


def _norm(direction: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(direction.flatten(1), dim=1)
    return norms.view(magnitude_shape(tuple(direction.shape)))
