"""How long each track of a batch spends in each phase, measured by a clock that nobody can set."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from core.progress import Phase


class PhaseClock:
    """Seconds from entering each phase to leaving it; waiting for the batch's other tracks counts."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._now_in: dict[int, tuple[Phase, float]] = {}
        self._seconds: defaultdict[int, dict[str, float]] = defaultdict(dict)

    def enter(self, track: int, phase: Phase) -> tuple[Phase, float] | None:
        """Note a track's phase; the one it has just left, with its seconds, if it has."""
        if track in self._now_in and self._now_in[track][0] is phase:
            return None
        left = self.leave(track)
        self._now_in[track] = (phase, self._clock())
        return left

    def leave(self, track: int) -> tuple[Phase, float] | None:
        """The track is in no phase any more; the one it has just left, with its seconds."""
        if track not in self._now_in:
            return None
        phase, since = self._now_in.pop(track)
        seconds = self._clock() - since
        self._seconds[track][phase.value] = seconds
        return phase, seconds

    def seconds(self, track: int) -> Mapping[str, float]:
        """Seconds of every phase the track has left, by name."""
        return self._seconds[track]
