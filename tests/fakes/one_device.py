"""A device other than the CPU on a machine that has none: tensors without numbers, on which CPU tensors cannot meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ELSEWHERE = torch.device("meta")
"""Stands for a GPU: shapes are computed there, and whoever reads a number on the host gets an error."""

_COPIES = (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default)


class OneDevice(TorchDispatchMode):
    """AssertionError for an operation on tensors of two devices, but for copies and the CPU's single numbers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        leaves = tree_leaves((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        devices = {tensor.device for tensor in tensors if tensor.dim() > 0 or tensor.device.type != "cpu"}
        assert len(devices) < 2 or func in _COPIES, f"{func} of tensors on {devices}"
        return func(*args, **(kwargs or {}))
