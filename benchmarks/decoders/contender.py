"""What every way of decoding can do: begin behind a context, then write one token a step for every track."""

from __future__ import annotations

from typing import Protocol

import torch

from benchmarks.shapes import LAYOUT
from core.token_layout import COARSE_LAYERS
from models.transformer.config import TransformerConfig

VOCAB_ROWS = LAYOUT.vocab_size(COARSE_LAYERS)


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
