"""Decode steps as CUDA graphs: recorded once, then a single launch each. On other devices they simply run.

A small step is hundreds of kernels of microseconds; launched one by one, the host takes longer than the device.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Hashable, Sequence

import torch

_WARM_UP_RUNS = 2
"""Before a recording: libraries allocate their workspaces when first used, and a recording must not."""

logger = logging.getLogger(__name__)


class StepGraphs:
    """The recordings of one batch. Steps with equal keys are the same kernels on the same memory."""

    def __init__(self, device: torch.device, *, records: bool = True) -> None:
        self._device = device
        self._records = records and device.type == "cuda"
        self._stream = _recording_stream(device) if self._records else None
        self._graphs: dict[Hashable, torch.cuda.CUDAGraph] = {}

    @property
    def are_there(self) -> bool:
        """Whether any step is recorded."""
        return bool(self._graphs)

    def forget(self) -> None:
        """Drop all recordings: none of their steps comes again, or what they read and write has moved."""
        if self._graphs:
            # The host runs ahead: some may still be at work.
            torch.cuda.synchronize(self._device)
            self._graphs.clear()

    def run(self, key: Hashable, step: Callable[[], None], state: Sequence[torch.Tensor]) -> None:
        """Do ``step``, by its recording where the device keeps any; ``state`` is what it leaves for the next one."""
        if not self._records:
            step()
            return
        with torch.cuda.device(self._device):
            if key not in self._graphs and not self._record(key, step, state):
                step()
                return
            self._graphs[key].replay()

    def _record(self, key: Hashable, step: Callable[[], None], state: Sequence[torch.Tensor]) -> bool:
        before = [tensor.clone() for tensor in state]
        stream = torch.cuda.current_stream()
        try:
            self._graphs[key] = self._recorded(step)
        except RuntimeError as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            logger.warning("decode steps cannot be recorded here, so each is launched by itself: %s", error)
            self._records = False
        finally:
            # A recording that was broken off leaves its own behind.
            torch.cuda.set_stream(stream)
            # The warm-up took steps of its own; a recording takes none.
            for tensor, was in zip(state, before, strict=True):
                tensor.copy_(was)
        return self._records

    def _recorded(self, step: Callable[[], None]) -> torch.cuda.CUDAGraph:
        assert self._stream is not None
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            for _ in range(_WARM_UP_RUNS):
                step()
        torch.cuda.current_stream().wait_stream(self._stream)
        graph = torch.cuda.CUDAGraph()
        pool = next(iter(self._graphs.values())).pool() if self._graphs else None
        # What other threads ask of the device meanwhile is no part of a recording, and must not break it.
        with torch.cuda.graph(graph, pool=pool, stream=self._stream, capture_error_mode="thread_local"):
            step()
        return graph


@functools.cache
def _recording_stream(device: torch.device) -> torch.cuda.Stream:
    """One for all warm-ups and recordings of the process: libraries keep a workspace for each stream they have seen."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
