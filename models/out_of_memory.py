"""Turning an allocator's failure into an error a person can act on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from core.errors import DeviceOutOfMemory

logger = logging.getLogger(__name__)

_SIGNS = ("can't allocate memory", "out of memory", "STATUS_ALLOC_FAILED")
"""Of a CPU's allocator, of CUDA's, and of its libraries."""


@contextmanager
def naming_out_of_memory(what: str, *, song_size: bool = True) -> Iterator[None]:
    """Raise DeviceOutOfMemory, naming ``what`` needed the memory, where the allocator gives up.

    ``song_size``: whether a shorter song, or weights in eight bits, would need less of it.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not _is_out_of_memory(error):
            raise
        logger.warning("not enough memory for %s", what, exc_info=error)
        smaller = "set KHALA_QUANTIZE=int8, ask for fewer tracks or a shorter song, " if song_size else ""
        raise DeviceOutOfMemory(
            f"There is not enough memory for {what}. Use the runtime mode one_shot, {smaller}"
            "or free memory that other programs hold."
        ) from error


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error) for sign in _SIGNS)
