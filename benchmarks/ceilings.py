"""What the hardware can do at best, measured in the same run as what is held against it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

_COPY_BYTES = {"cuda": 4 << 30, "cpu": 512 << 20}
_MATRIX_ROWS = {"cuda": 8192, "cpu": 2048}
_REPEATS = 5


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """Bytes a second that a large copy moves (read and written), operations a second of a large matrix product."""

    bytes_per_second: float
    operations_per_second: float


def measure_ceilings(device: torch.device, dtype: torch.dtype) -> Ceilings:
    """The best of a few tries of each."""
    source = torch.ones(_COPY_BYTES.get(device.type, 512 << 20), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copied = 2 * source.numel() / best_seconds(lambda: target.copy_(source), device)
    rows = _MATRIX_ROWS.get(device.type, 2048)
    matrix = torch.randn(rows, rows, device=device, dtype=dtype)
    multiplied = 2 * rows**3 / best_seconds(lambda: matrix @ matrix, device)
    return Ceilings(bytes_per_second=copied, operations_per_second=multiplied)


def best_seconds(work: Callable[[], object], device: torch.device, *, repeats: int = _REPEATS) -> float:
    """The shortest of several runs, after one that does not count."""
    work()
    seconds = []
    for _ in range(repeats):
        synchronise(device)
        began = time.perf_counter()
        work()
        synchronise(device)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
