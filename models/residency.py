"""Which weights are in memory when: only the stage at work (one_shot), or all of them (keep_loaded)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import torch

from core.engine import RuntimeMode
from models.out_of_memory import naming_out_of_memory

StageT = TypeVar("StageT")


class Resident(Generic[StageT]):
    """One stage: how to load it, and the loaded stage while it is in memory."""

    def __init__(self, name: str, load: Callable[[], StageT], mode: RuntimeMode) -> None:
        self._name, self._load, self._mode = name, load, mode
        self._loaded: StageT | None = None

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    @contextmanager
    def in_memory(self) -> Iterator[StageT]:
        """The stage, loaded now if it is not; released at the end in one_shot mode."""
        if self._loaded is None:
            with naming_out_of_memory(f"loading {self._name}"):
                self._loaded = self._load()
        try:
            yield self._loaded
        finally:
            if self._mode is RuntimeMode.ONE_SHOT:
                self._loaded = None
                _release()


def _release() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
