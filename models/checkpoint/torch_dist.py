"""Megatron ``torch_dist`` directories, read without Megatron and without a process group (contract section 6).

``.metadata`` says in which file, at which offset each chunk of a tensor lies; a tensor is put together from its chunks
when it is asked for, so the host holds one at a time. Optimiser, generator and extra-state entries are skipped.
"""

from __future__ import annotations

import io
import json
import math
import os
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.errors import CheckpointError
from models.checkpoint.file_window import FileWindow
from models.checkpoint.safe_load import load_metadata, load_tensor, load_torch_file

ITERATION_FILE = "latest_checkpointed_iteration.txt"
_SKIPPED = ("optimizer", "rng_state", "rerun_state_machine_state", "opt_param_scheduler")


def iteration_directory(root: Path) -> Path:
    """The directory of the newest iteration under ``root``, as its own note says."""
    note = root / ITERATION_FILE
    try:
        text = note.read_bytes().decode("ascii", "replace").strip()
    except OSError as error:
        raise CheckpointError(note, "the file is missing or cannot be read; it names the iteration to load") from error
    if not text.isdecimal():
        raise CheckpointError(note, f"a whole number (the iteration to load) was expected, '{text[:40]}' was found")
    directory = root / f"iter_{int(text):07d}"
    if not directory.is_dir():
        raise CheckpointError(directory, f"the directory is missing, though {ITERATION_FILE} names iteration {text}")
    return directory


def read_arguments(directory: Path) -> Namespace:
    """The training arguments kept in ``common.pt``; every size of the model is read from them."""
    path = directory / "common.pt"
    common = load_torch_file(path)
    arguments = common.get("args") if isinstance(common, dict) else None
    if not isinstance(arguments, Namespace):
        raise CheckpointError(path, "a dictionary with the training arguments under 'args' was expected")
    return arguments


@dataclass(frozen=True)
class _Chunk:
    """A box of one tensor and where its bytes lie."""

    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    file: str
    start: int
    length: int


class TorchDistSource:
    """The tensors of one ``iter_NNNNNNN`` directory."""

    def __init__(self, directory: Path) -> None:
        self.path = directory
        _check_backend(directory / "metadata.json")
        metadata = load_metadata(directory / ".metadata")
        try:
            tensors = {name: entry for name, entry in metadata.state_dict_metadata.items() if _is_weight(name, entry)}
            self.shapes = {name: tuple(entry.size) for name, entry in tensors.items()}
            self.dtypes: dict[str, torch.dtype] = {name: entry.properties.dtype for name, entry in tensors.items()}
            stored = {(index.fqn, tuple(index.offset or ())): place for index, place in metadata.storage_data.items()}
            self._chunks = {
                name: [_chunk(name, box, stored) for box in entry.chunks] for name, entry in tensors.items()
            }
            for name, chunks in self._chunks.items():
                _check_boxes(name, self.shapes[name], chunks)
        except (AttributeError, TypeError, KeyError, ValueError) as error:
            raise CheckpointError(directory / ".metadata", f"is no usable checkpoint metadata ({error!r})") from error

    def read(self, name: str) -> torch.Tensor:
        """One whole tensor, put together from its chunks."""
        chunks = self._chunks[name]
        if len(chunks) == 1 and chunks[0].sizes == self.shapes[name]:
            return self._read_chunk(name, chunks[0])
        whole = torch.empty(self.shapes[name], dtype=self.dtypes[name])
        filled = 0
        for chunk in chunks:
            box = tuple(slice(low, low + size) for low, size in zip(chunk.offsets, chunk.sizes, strict=True))
            whole[box] = self._read_chunk(name, chunk)
            filled += math.prod(chunk.sizes)
        if filled != whole.numel():
            message = f"its chunks hold {filled} numbers; {whole.numel()} were expected"
            raise CheckpointError(self.path / ".metadata", message, tensor=name)
        return whole

    def _read_chunk(self, name: str, chunk: _Chunk) -> torch.Tensor:
        path = self.path / chunk.file
        if path.resolve().parent != self.path.resolve():
            raise CheckpointError(path, "lies outside its checkpoint directory and was not read", tensor=name)
        try:
            with path.open("rb") as file:
                size, end = os.fstat(file.fileno()).st_size, chunk.start + chunk.length
                if size < end:
                    message = f"the file is truncated: it has {size} bytes, at least {end} were expected"
                    raise CheckpointError(path, message, tensor=name)
                tensor = load_tensor(io.BufferedReader(FileWindow(file, chunk.start, chunk.length)), path, name)
        except OSError as error:
            raise CheckpointError(path, f"cannot be read ({error.strerror})", tensor=name) from error
        if tensor.numel() != math.prod(chunk.sizes) or tensor.dtype != self.dtypes[name]:
            found = f"{list(tensor.shape)} {tensor.dtype}"
            message = f"{found} is stored; {list(chunk.sizes)} {self.dtypes[name]} was expected"
            raise CheckpointError(path, message, tensor=name)
        return tensor.reshape(chunk.sizes)


def _is_weight(name: str, entry: Any) -> bool:
    return hasattr(entry, "chunks") and "_extra_state" not in name and not name.startswith(_SKIPPED)


def _chunk(name: str, box: Any, stored: dict[tuple[str, tuple[int, ...]], Any]) -> _Chunk:
    offsets = tuple(box.offsets)
    place = stored[name, offsets]
    if getattr(place, "transform_descriptors", None):
        raise TypeError(f"tensor '{name}' is stored compressed, which is not supported")
    file = str(place.relative_path)
    if not file.isprintable():
        raise ValueError(f"the file of tensor '{name}' has an unusable name")
    return _Chunk(offsets, tuple(box.sizes), file, int(place.offset), int(place.length))


def _check_boxes(name: str, shape: tuple[int, ...], chunks: list[_Chunk]) -> None:
    """ValueError unless the chunks lie inside their tensor, each at a place of its own."""
    for chunk in chunks:
        ends = [low + size for low, size in zip(chunk.offsets, chunk.sizes, strict=True)]
        if len(ends) != len(shape) or any(end > size for end, size in zip(ends, shape, strict=True)):
            raise ValueError(f"a chunk of tensor '{name}' lies outside its shape {list(shape)}")
    if len({chunk.offsets for chunk in chunks}) != len(chunks):
        raise ValueError(f"two chunks of tensor '{name}' lie at the same place")


def _check_backend(path: Path) -> None:
    try:
        backend = json.loads(path.read_text()).get("sharded_backend")
    except FileNotFoundError:
        return  # Only .metadata is needed; some tools copy a checkpoint without this note.
    except (ValueError, AttributeError) as error:
        raise CheckpointError(path, "the file is damaged: JSON naming the 'sharded_backend' was expected") from error
    if backend != "torch_dist":
        raise CheckpointError(path, f"the checkpoint was written by '{backend}'; 'torch_dist' was expected")
