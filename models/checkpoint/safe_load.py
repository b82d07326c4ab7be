"""Reading pickled files without running what is in them.

Checkpoints carry pickles (``common.pt``, ``.metadata``, the codec's ``.ckpt``). Each is read with an allow-list:
plain data, tensors and the record types listed here. Names of Megatron's own classes become inert stand-ins, so that
its enums can lie in a file without Megatron being imported. Any other name is refused before it is called.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import pathlib
import pickle
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import torch

from core.errors import CheckpointError

_FOREIGN = ("megatron.", "transformer_engine.", "pytorch_lightning.", "lightning.", "lightning_fabric.")
"""Packages whose objects may lie in a published file but are never needed, imported or called."""


class StandIn:
    """What is left of a foreign object: it can be rebuilt and ignored, nothing else."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments

    def __setstate__(self, state: object) -> None:
        self.state = state


class _UnexpectedGlobal(pickle.UnpicklingError):
    pass


def _member(owner: object, name: object) -> StandIn:
    """A member of an enum, which Python 3.11.2 and its neighbours pickle as ``getattr(enum, name)``; nothing else."""
    if owner in (StandIn, _Record):
        return StandIn(name)
    raise _UnexpectedGlobal(f"it asks for '{name}' of {owner!r}; the file is not trusted and was not read")


_RECORD_TYPES: list[Any] = [
    (_member, "builtins.getattr"),
    argparse.Namespace,
    collections.OrderedDict,
    pathlib.PurePosixPath,
    (pathlib.PurePosixPath, "pathlib.PosixPath"),
    (pathlib.PurePosixPath, "pathlib._local.PosixPath"),
]


class _Record:
    """A record of a checkpoint's metadata, by its fields alone: to import the package they are of takes a second."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments

    def __setstate__(self, state: Any) -> None:
        # A tensor's properties are a tuple that begins with its dtype.
        vars(self).update(state if isinstance(state, dict) else {"dtype": state[0]})


_RECORDS = {
    *(
        ("torch.distributed.checkpoint.metadata", name)
        for name in (
            "Metadata",
            "MetadataIndex",
            "TensorStorageMetadata",
            "BytesStorageMetadata",
            "ChunkStorageMetadata",
            "TensorProperties",
            "StorageMeta",
            "_MEM_FORMAT_ENCODING",
        )
    ),
    ("torch.distributed.checkpoint.filesystem", "_StorageInfo"),
    ("torch.distributed.checkpoint.filesystem", "_StoragePrefix"),
}
_METADATA_GLOBALS = {
    ("torch", "Size"),
    ("torch.serialization", "_get_layout"),
    ("collections", "OrderedDict"),
    ("pathlib", "PosixPath"),
    ("pathlib", "PurePosixPath"),
}


_PICKLE_DAMAGE = (
    # What a damaged pickle stream has been seen to raise, depending on which byte is wrong.
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    IndexError,
    KeyError,
    AttributeError,
    TypeError,
    MemoryError,
    OverflowError,
)


def load_torch_file(path: Path) -> Any:
    """The object inside a file written by ``torch.save``; tensors are memory-mapped, on the CPU.

    Raises CheckpointError when the file is missing, damaged, or names a class outside the allow-list.
    """
    if not path.is_file():
        raise CheckpointError(path, "the file is missing")
    try:
        unknown = torch.serialization.get_unsafe_globals_in_checkpoint(path)
        stand_ins = [(StandIn, name) for name in unknown if name.startswith(_FOREIGN)]
        with torch.serialization.safe_globals([*_RECORD_TYPES, *stand_ins]):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except _UnexpectedGlobal as error:
        raise CheckpointError(path, str(error)) from error
    except pickle.UnpicklingError as error:
        raise CheckpointError(path, _refusal(path, error)) from error
    except (*_PICKLE_DAMAGE, RuntimeError, OSError, zipfile.BadZipFile) as error:
        raise CheckpointError(path, f"the file is damaged or not a PyTorch file ({_first_line(error)})") from error


def load_tensor(file: BinaryIO, path: Path, name: str) -> torch.Tensor:
    """One tensor, all of ``file``, as ``torch.distributed.checkpoint`` stores it inside a shard."""
    try:
        tensor = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise CheckpointError(path, f"the stored bytes are damaged ({_first_line(error)})", tensor=name) from error
    if not isinstance(tensor, torch.Tensor):
        raise CheckpointError(path, f"a tensor was expected, {type(tensor).__name__} was found", tensor=name)
    return tensor


def load_metadata(path: Path) -> Any:
    """The ``Metadata`` record of a ``torch_dist`` directory."""
    try:
        with path.open("rb") as file:
            return _MetadataUnpickler(file).load()
    except FileNotFoundError:
        raise CheckpointError(path, "the file is missing") from None
    except _UnexpectedGlobal as error:
        raise CheckpointError(path, str(error)) from error
    except _PICKLE_DAMAGE as error:
        raise CheckpointError(path, f"the file is damaged or no checkpoint metadata ({_first_line(error)})") from error


class _MetadataUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith(_FOREIGN):
            return StandIn
        if module == "pathlib" or module == "pathlib._local":
            return pathlib.PurePosixPath
        if (module, name) in _RECORDS:
            return _Record
        if (module, name) == ("builtins", "getattr"):
            return _member
        if (module, name) in _METADATA_GLOBALS or (module == "torch" and _is_dtype(name)):
            return getattr(importlib.import_module(module), name)
        raise _UnexpectedGlobal(
            f"it names '{module}.{name}', which a checkpoint never needs; the file is not trusted and was not read"
        )


def _is_dtype(name: str) -> bool:
    return isinstance(getattr(torch, name, None), torch.dtype)


def _refusal(path: Path, error: Exception) -> str:
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except (RuntimeError, ValueError, OSError, pickle.UnpicklingError):
        names = []
    unexpected = ", ".join(f"'{name}'" for name in names if not name.startswith(_FOREIGN))
    if unexpected:
        return f"it names {unexpected}, which a checkpoint never needs; the file is not trusted and was not read"
    return f"the file is damaged or not a PyTorch file ({_first_line(error)})"


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
