"""Follows one batch: turns the pipeline's reports into events, measures its stages, carries the wish to stop."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

from backend.workers.messages import ProgressEvent
from core.progress import Phase, Progress

PROGRESS_INTERVAL_SECONDS = 0.25
"""A track is reported at most four times a second; a change of phase always is."""


class BatchWatch:
    """The ``Watch`` of one batch. ``tracks`` are the job's numbers of the batch's places."""

    def __init__(
        self,
        tracks: Sequence[int],
        emit: Callable[[ProgressEvent], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.latest = Progress(phase=Phase.IDLE)
        self._tracks = tracks
        self._emit = emit
        self._clock = clock
        self._stop = threading.Event()
        self._unwanted: frozenset[int] = frozenset()
        self._phase: dict[int, Phase] = {}
        self._reported_at: dict[int, float] = {}
        self._entered_at: dict[int, float] = {}
        self._seconds: defaultdict[int, dict[str, float]] = defaultdict(dict)

    def progress(self, track: int, progress: Progress) -> None:
        now = self._clock()
        self.latest = progress
        if progress.phase is not self._phase.get(track):
            self._leave_phase(track, now)
            self._phase[track], self._entered_at[track] = progress.phase, now
        elif now - self._reported_at[track] < PROGRESS_INTERVAL_SECONDS:
            return
        self._reported_at[track] = now
        self._emit(ProgressEvent(track=self._tracks[track], progress=progress))

    def cancelled(self, track: int) -> bool:
        return self._stop.is_set() or self._tracks[track] in self._unwanted

    def cancel(self, tracks: Collection[int]) -> None:
        """Nobody wants these tracks, by the job's numbers, any more."""
        # A new set in one step: the model thread reads it meanwhile.
        self._unwanted = self._unwanted | frozenset(tracks)

    def stop(self) -> None:
        """Nobody wants this batch any more."""
        self._stop.set()

    def stage_seconds(self, track: int) -> dict[str, float]:
        """Seconds from entering each phase to leaving it; waiting for the batch's other tracks counts."""
        self._leave_phase(track, self._clock())
        return self._seconds[track]

    def _leave_phase(self, track: int, now: float) -> None:
        if phase := self._phase.get(track):
            self._seconds[track][phase.value] = now - self._entered_at[track]
