"""Writing a Megatron ``torch_dist`` directory: per layer, fc1 in halves, as the published weights are stored."""

from __future__ import annotations

import json
import warnings
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import torch
from torch.distributed.checkpoint.filesystem import FileSystemWriter
from torch.distributed.checkpoint.state_dict_saver import save

from models.checkpoint.torch_dist import ITERATION_FILE

_BACKEND = {
    "sharded_backend": "torch_dist",
    "sharded_backend_version": 1,
    "common_backend": "torch",
    "common_backend_version": 1,
}


def write_torch_dist(root: Path, tensors: Mapping[str, torch.Tensor], arguments: Namespace, *, iteration: int) -> Path:
    """Write ``tensors`` under their on-disk names; returns the iteration's directory.

    The note that makes the iteration current is written last, so an interrupted write is never taken for a checkpoint.
    """
    directory = root / f"iter_{iteration:07d}"
    directory.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        writer = FileSystemWriter(str(directory), thread_count=1, single_file_per_rank=True)
        save({name: tensor.contiguous() for name, tensor in tensors.items()}, storage_writer=writer, no_dist=True)
    common = {
        "args": arguments,
        "checkpoint_version": 3.0,
        "iteration": iteration,
        "content_metadata": {"singleton_local_shards": True},
    }
    torch.save(common, directory / "common.pt")
    (directory / "metadata.json").write_text(json.dumps(_BACKEND))
    (root / ITERATION_FILE).write_text(str(iteration))
    return directory
