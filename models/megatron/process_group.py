"""The process group megatron-core needs, even for one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from megatron.core import parallel_state

_PATIENCE = timedelta(days=365)
"""Ranks wait for work inside a collective call, and nobody may ask for a song for days."""


def device_of(rank: int, first: torch.device) -> torch.device:
    """Where a rank computes: every one on the CPU, or each on a GPU of its own, from the first one's on."""
    return torch.device("cuda", (first.index or 0) + rank) if first.type == "cuda" else first


@contextmanager
def process_group(store: Path, first: torch.device, *, rank: int = 0, ranks: int = 1) -> Iterator[None]:
    """One of ``ranks`` tensor-parallel processes that find each other by the file ``store``.

    ``first`` is rank 0's device. GPUs share what they compute by NCCL; what one process tells the others is on the CPU
    and goes by gloo.
    """
    backend = "gloo"
    if first.type == "cuda":
        torch.cuda.set_device(device_of(rank, first))  # NCCL and megatron-core ask which one is meant
        backend = "cpu:gloo,cuda:nccl"
    torch.distributed.init_process_group(
        backend, init_method=f"file://{store.resolve()}", world_size=ranks, rank=rank, timeout=_PATIENCE
    )
    try:
        parallel_state.initialize_model_parallel(ranks, 1)
        yield
    finally:
        parallel_state.destroy_model_parallel()
        torch.distributed.destroy_process_group()
