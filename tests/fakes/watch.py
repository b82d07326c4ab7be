"""A watch that remembers what it heard and can wish tracks away."""

from __future__ import annotations

from collections.abc import Callable

from core.progress import Progress


class RecordingWatch:
    """Implements core.engine.Watch; ``unwanted`` is asked with a track and what was heard of it so far."""

    def __init__(self, unwanted: Callable[[int, list[Progress]], bool] = lambda track, heard: False) -> None:
        self._unwanted = unwanted
        self.heard: dict[int, list[Progress]] = {}

    def progress(self, track: int, progress: Progress) -> None:
        self.heard.setdefault(track, []).append(progress)

    def cancelled(self, track: int) -> bool:
        return self._unwanted(track, self.heard.get(track, []))
