"""The way of a batch's new tokens through the blocks, step after step: on a CPU by its own kernels, else by torch.

Legend: B tracks, H hidden, V rows of a head.
"""

from __future__ import annotations

import logging
from typing import Protocol

import torch
import torch.nn.functional as F

from models.transformer.attention import Attend
from models.transformer.decode_attention import DecodeAttention
from models.transformer.kv_cache import KVCache
from models.transformer.model import Transformer

logger = logging.getLogger(__name__)


class Head(Protocol):
    """Output rows that a step projects on: hidden states [B, 1, H] to logits, float32 [B, V]."""

    nbytes: int

    def __call__(self, hidden_B1H: torch.Tensor) -> torch.Tensor: ...


class TrackSteps(Protocol):
    """One batch: its cache, and its steps."""

    @property
    def state(self) -> tuple[torch.Tensor, ...]:
        """What a step changes and the next one reads, where steps are recorded."""
        ...

    def prefill(self, rows: list[int], length: int) -> Attend:
        """The attention of a prompt of ``length`` ids that is computed once and shared by ``rows``."""
        ...

    def next_window(self) -> int:
        """Make room for another position; steps of one window are the same on the device."""
        ...

    def hidden(self, embedded_B1H: torch.Tensor, window: int) -> torch.Tensor:
        """Hidden states of each track's next token, [B, 1, H]; the cache is a position longer then."""
        ...


class StepModel(Protocol):
    """A transformer made ready for steps."""

    def head(self, weight: torch.Tensor) -> Head:
        """Output rows [V, H] made ready."""
        ...

    def begin(self, *, batch: int, room: int, most: int) -> TrackSteps:
        """An empty cache with ``room`` positions, of which there will be ``most`` at most."""
        ...


def step_model(model: Transformer) -> StepModel:
    """The fastest way there is here."""
    if model.device.type == "cpu":
        try:
            from models.cpu.steps import CpuStepModel  # a GPU's stock image has no compiler for it
        except ImportError as error:
            logger.warning("steps on this CPU take several times as long as they could: %s", error)
        else:
            return CpuStepModel(model)
    return TorchStepModel(model)


class TorchStepModel:
    """Steps as torch takes them on any device."""

    def __init__(self, model: Transformer) -> None:
        self._model = model

    def head(self, weight: torch.Tensor) -> TorchHead:
        return TorchHead(weight.float())

    def begin(self, *, batch: int, room: int, most: int) -> TorchSteps:
        return TorchSteps(self._model, batch=batch, room=room, most=most)


class TorchHead:
    """Float32, because logits decide."""

    def __init__(self, weight: torch.Tensor) -> None:
        self._weight, self.nbytes = weight, weight.nbytes

    def __call__(self, hidden_B1H: torch.Tensor) -> torch.Tensor:
        return F.linear(hidden_B1H, self._weight).squeeze(1)


class TorchSteps:
    """A key/value cache that all tracks look at through one window."""

    def __init__(self, model: Transformer, *, batch: int, room: int, most: int) -> None:
        self._model, self._most = model, most
        self._rotations = model.rotation(torch.arange(most, device=model.device))
        self._cache = KVCache(model.config, batch=batch, room=room, device=model.device, dtype=model.dtype)

    @property
    def state(self) -> tuple[torch.Tensor, ...]:
        # The cache's own rows are written before they are read.
        return (self._cache.lengths,)

    def prefill(self, rows: list[int], length: int) -> Attend:
        return self._cache.prefill(rows, length)

    def next_window(self) -> int:
        if self._cache.is_full:
            self._cache.grow(self._most)
        return self._cache.next_window()

    def hidden(self, embedded_B1H: torch.Tensor, window: int) -> torch.Tensor:
        rotation = self._rotations.at(self._cache.lengths)
        hidden: torch.Tensor = self._model(embedded_B1H, rotation, DecodeAttention(self._cache, window))
        self._cache.lengths.add_(1)
        return hidden
