"""The safetensors files of the Apple-silicon port (contract section 6)."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from core.errors import CheckpointError


def read_port_arguments(path: Path) -> Namespace:
    """The training arguments as the port keeps them: JSON, plain or under ``args``."""
    try:
        values = json.loads(path.read_text())
    except OSError as error:
        raise CheckpointError(path, "the file is missing or cannot be read; it holds the model's sizes") from error
    except ValueError as error:
        raise CheckpointError(path, f"the file is damaged: JSON was expected ({error})") from error
    values = values.get("args", values) if isinstance(values, dict) else values
    if not isinstance(values, dict):
        raise CheckpointError(path, "a JSON object with the training arguments was expected")
    return Namespace(**values)


class SafetensorsSource:
    """The tensors of one ``.safetensors`` file, memory-mapped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            file: Any = safe_open(str(path), framework="pt", device="cpu")
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        except FileNotFoundError:
            raise CheckpointError(path, "the file is missing") from None
        except (SafetensorError, OSError) as error:
            raise CheckpointError(path, f"the file is damaged or truncated ({error})") from error
        self._file = file
        self.shapes: Mapping[str, tuple[int, ...]] = {name: tuple(part.get_shape()) for name, part in slices.items()}
        self.dtypes: Mapping[str, torch.dtype] = {
            name: _dtype(part.get_dtype(), path, name) for name, part in slices.items()
        }

    def read(self, name: str) -> torch.Tensor:
        tensor: torch.Tensor = self._file.get_tensor(name)
        return tensor


def _dtype(stored: str, path: Path, name: str) -> torch.dtype:
    if stored not in _DTYPES:
        raise CheckpointError(path, f"holds {stored}; one of {', '.join(_DTYPES)} was expected", tensor=name)
    return _DTYPES[stored]


_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
