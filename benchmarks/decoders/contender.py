"""What every way of decoding can do: begin behind a context, then write one token a step for every track."""

from __future__ import annotations

from typing import Protocol

import torch

from models.transformer.config import TransformerConfig

TEXT_ROWS = 1000
"""Rows of the vocabulary that are read and never written; few, so that nobody gains by not projecting on them."""

CODEBOOK_SIZE = 1024
VOCAB_ROWS = TEXT_ROWS + 2 * CODEBOOK_SIZE + 1


class Contender(Protocol):
    """One way of decoding, with random weights of a shape."""

    name: str

    def __init__(self, shape: TransformerConfig, device: torch.device, dtype: torch.dtype) -> None: ...

    def start(self, *, batch: int, context: int, steps: int) -> None:
        """Behind ``context`` positions of something, with room for ``steps`` more."""
        ...

    def step(self) -> None:
        """Choose the likeliest token of every track and read it."""
        ...

    def weight_bytes(self) -> int:
        """What one step must read of the model at least."""
        ...
