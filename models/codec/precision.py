"""Full float32 arithmetic where the hardware would rather round more coarsely."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_float32() -> Iterator[None]:
    """Convolutions and matrix products in float32 proper; CUDA's default for convolutions is TF32, with 10 bits.

    The settings are global to the process and are put back, so nothing else may compute meanwhile.
    """
    matmul_precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(matmul_precision)
