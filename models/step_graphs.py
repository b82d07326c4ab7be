"""Decode steps as CUDA graphs: recorded once, then a single launch each. On other devices they simply run.

A small step is hundreds of kernels of microseconds; launched one by one, the host takes longer than the device.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import torch

_WARM_UP_RUNS = 2
"""Before a recording: libraries allocate their workspaces when first used, and a recording must not."""


class StepGraphs:
    """The recordings of one batch. Steps with equal keys are the same kernels on the same memory."""

    def __init__(self, device: torch.device, *, records: bool = True) -> None:
        self._records = records and device.type == "cuda"
        self._graphs: dict[Hashable, torch.cuda.CUDAGraph] = {}

    def run(self, key: Hashable, step: Callable[[], None], state: Sequence[torch.Tensor]) -> None:
        """Do ``step``, by its recording where the device keeps any; ``state`` is what it leaves for the next one."""
        if not self._records:
            step()
            return
        if key not in self._graphs:
            self._graphs[key] = self._record(step, state)
        self._graphs[key].replay()

    def _record(self, step: Callable[[], None], state: Sequence[torch.Tensor]) -> torch.cuda.CUDAGraph:
        before = [tensor.clone() for tensor in state]
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_RUNS):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        pool = next(iter(self._graphs.values())).pool() if self._graphs else None
        with torch.cuda.graph(graph, pool=pool):
            step()
        # The warm-up took steps of its own; a recording takes none.
        for tensor, was in zip(state, before, strict=True):
            tensor.copy_(was)
        return graph
