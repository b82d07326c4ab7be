"""The process group megatron-core needs, even for one process on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from megatron.core import parallel_state

_PATIENCE = timedelta(days=365)
"""Ranks wait for work inside a collective call, and nobody may ask for a song for days."""


@contextmanager
def process_group(store: Path, *, rank: int = 0, ranks: int = 1) -> Iterator[None]:
    """One of ``ranks`` tensor-parallel processes that find each other by the file ``store``."""
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{store.resolve()}", world_size=ranks, rank=rank, timeout=_PATIENCE
    )
    try:
        parallel_state.initialize_model_parallel(ranks, 1)
        yield
    finally:
        parallel_state.destroy_model_parallel()
        torch.distributed.destroy_process_group()
