"""What every checkpoint format offers its readers: named tensors, read one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch

from core.errors import CheckpointError


class TensorSource(Protocol):
    """Named tensors of one model in one place on disk. Shapes and dtypes are known without reading them."""

    @property
    def path(self) -> Path: ...

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]: ...

    @property
    def dtypes(self) -> Mapping[str, torch.dtype]: ...

    def read(self, name: str) -> torch.Tensor: ...


class RecordingSource:
    """Another source that remembers which of its tensors were read."""

    def __init__(self, source: TensorSource) -> None:
        self.path, self.shapes, self.dtypes = source.path, source.shapes, source.dtypes
        self.unread = set(source.shapes)
        self._source = source

    def read(self, name: str) -> torch.Tensor:
        self.unread.discard(name)
        return self._source.read(name)


def read_checked(source: TensorSource, name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """One tensor of exactly this shape; CheckpointError names file, tensor and what was expected."""
    found = source.shapes.get(name)
    if found is None:
        raise CheckpointError(source.path, f"is missing; shape {list(shape)} was expected", tensor=name)
    if found != shape:
        raise CheckpointError(source.path, f"has shape {list(found)}; {list(shape)} was expected", tensor=name)
    if not source.dtypes[name].is_floating_point:
        message = f"holds {source.dtypes[name]}; floating-point numbers were expected"
        raise CheckpointError(source.path, message, tensor=name)
    return source.read(name)
