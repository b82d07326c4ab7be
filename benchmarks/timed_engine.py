"""An engine that measures another: seconds to load and to run each stage, and the peak of memory in it."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch

from core.engine import BackboneGenerator, CodecDecoder, CodecEncoder, SongEngine, SuperResolver
from core.progress import Phase

StageT = TypeVar("StageT")


@dataclass(frozen=True, kw_only=True)
class StageFigures:
    """One stage of one run. On a CPU the peak is the process's so far; on a GPU the stage's own."""

    load_seconds: float
    run_seconds: float
    peak_memory_bytes: int


class TimedEngine:
    """Implements core.engine.SongEngine by another engine."""

    def __init__(self, engine: SongEngine) -> None:
        self._engine = engine
        self.layout, self.audio_format, self.description = engine.layout, engine.audio_format, engine.description
        self.figures: dict[str, StageFigures] = {}

    def encode_text(self, text: str) -> list[int]:
        return self._engine.encode_text(text)

    def is_loaded(self, phase: Phase) -> bool:
        return self._engine.is_loaded(phase)

    def backbone(self) -> AbstractContextManager[BackboneGenerator]:
        return self._timed("backbone", self._engine.backbone())

    def superres(self) -> AbstractContextManager[SuperResolver]:
        return self._timed("superres", self._engine.superres())

    def decoder(self) -> AbstractContextManager[CodecDecoder]:
        return self._timed("decoder", self._engine.decoder())

    def encoder(self) -> AbstractContextManager[CodecEncoder]:
        return self._timed("encoder", self._engine.encoder())

    @contextmanager
    def _timed(self, name: str, stage: AbstractContextManager[StageT]) -> Iterator[StageT]:
        on_gpu = self.description.device.startswith("cuda")
        if on_gpu:
            torch.cuda.reset_peak_memory_stats(self.description.device)
        started = time.perf_counter()
        with stage as loaded:
            ready = time.perf_counter()
            yield loaded
            finished = time.perf_counter()
            peak = torch.cuda.max_memory_allocated(self.description.device) if on_gpu else resident_peak_bytes()
        self.figures[name] = StageFigures(
            load_seconds=ready - started, run_seconds=finished - ready, peak_memory_bytes=peak
        )


def resident_peak_bytes() -> int:
    """The most memory this process has had so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
