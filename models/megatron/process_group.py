"""The process group megatron-core needs, even for one process on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from megatron.core import parallel_state


@contextmanager
def process_group(store: Path, *, rank: int = 0, ranks: int = 1, backend: str = "gloo") -> Iterator[None]:
    """One of ``ranks`` tensor-parallel processes that find each other by the file ``store``."""
    torch.distributed.init_process_group(backend, init_method=f"file://{store.resolve()}", world_size=ranks, rank=rank)
    try:
        parallel_state.initialize_model_parallel(ranks, 1)
        yield
    finally:
        parallel_state.destroy_model_parallel()
        torch.distributed.destroy_process_group()
