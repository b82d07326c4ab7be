"""How many CPU threads single-token steps use. Waking the others takes longer than the products of a small model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from models.transformer.linear import weight_bytes
from models.transformer.model import Transformer

_SMALL_BYTES = 64 * 2**20
"""Weights that one thread reads in about the time in which a second one wakes up for each product."""


@contextmanager
def threads_for_steps(model: Transformer) -> Iterator[None]:
    """One thread for a small model on a CPU, all for others, while the block runs; meant for a process's one model
    thread, because others that meet torch first meanwhile keep the number. Attention over a long cache uses all that
    there were when the cache was made (``models.transformer.decode_attention``)."""
    before = torch.get_num_threads()
    if model.device.type == "cpu" and weight_bytes(model.blocks) < _SMALL_BYTES:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
