"""Which weights are in memory when: only the stage at work (one_shot), or all of them (keep_loaded)."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, TypeVar

import torch

from core.engine import BackboneGenerator, CodecDecoder, RuntimeMode, SuperResolver
from core.progress import Phase
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
            # What the stage before left in the allocator's cache; its last names are gone by now.
            _release()
            with naming_out_of_memory(f"loading {self._name}"):
                self._loaded = self._load()
        try:
            yield self._loaded
        finally:
            if self._mode is RuntimeMode.ONE_SHOT:
                self._loaded = None


class ResidentStages:
    """The three stages of an engine that makes songs."""

    def __init__(
        self,
        mode: RuntimeMode,
        *,
        backbone: Callable[[], BackboneGenerator],
        superres: Callable[[], SuperResolver],
        decoder: Callable[[], CodecDecoder],
    ) -> None:
        self._backbone = Resident("the backbone", backbone, mode)
        self._superres = Resident("super-resolution", superres, mode)
        self._decoder = Resident("the codec's decoder", decoder, mode)

    def is_loaded(self, phase: Phase) -> bool:
        """Whether the stage of this phase can start without loading."""
        loaded = {
            Phase.BACKBONE: self._backbone.is_loaded,
            Phase.SUPERRES: self._superres.is_loaded,
            Phase.DECODING: self._decoder.is_loaded,
        }
        return loaded[phase]

    def backbone(self) -> AbstractContextManager[BackboneGenerator]:
        return self._backbone.in_memory()

    def superres(self) -> AbstractContextManager[SuperResolver]:
        return self._superres.in_memory()

    def decoder(self) -> AbstractContextManager[CodecDecoder]:
        return self._decoder.in_memory()


def _release() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
