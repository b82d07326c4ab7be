"""Turning an allocator's failure into an error a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from core.errors import DeviceOutOfMemory


@contextmanager
def naming_out_of_memory(what: str) -> Iterator[None]:
    """Raise DeviceOutOfMemory, naming ``what`` needed the memory, where the allocator gives up."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_out_of_memory(error):
            raise
        raise DeviceOutOfMemory(
            f"There is not enough memory for {what}. Use the runtime mode one_shot, set KHALA_QUANTIZE=int8, ask "
            "for fewer tracks or a shorter song, or free memory that other programs hold."
        ) from error


def _is_out_of_memory(error: RuntimeError) -> bool:
    text = str(error)
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text or "out of memory" in text
