"""Batches by the number of their step, made ahead of time by worker processes where there are cores to spare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

BatchT = TypeVar("BatchT")

_BATCHES_AHEAD = 4
"""Batches each worker keeps ready."""


class _Steps(Dataset[BatchT], Generic[BatchT]):
    def __init__(self, make: Callable[[int], BatchT]) -> None:
        self._make = make

    def __getitem__(self, step: int) -> BatchT:
        return self._make(step)


def batches_of(make: Callable[[int], BatchT], steps: range, *, workers: int = 0) -> Iterator[BatchT]:
    """``make(step)`` of every step in turn; ``workers`` processes make them ahead, if any."""
    loader = DataLoader(
        _Steps(make),
        batch_size=None,
        sampler=steps,
        num_workers=workers,
        prefetch_factor=_BATCHES_AHEAD if workers else None,
        worker_init_fn=_one_thread,
    )
    return iter(loader)


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)
