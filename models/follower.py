"""The host's side of writing coarse codes: what was drawn so far, who still wants more, how fast it goes.

Legend: B tracks, S steps.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.codes import CoarseCodes
from core.engine import BackboneTask, Watch
from core.errors import Cancelled, EmptyGeneration, GenerationError
from core.progress import Phase, Progress
from core.token_layout import COARSE_LAYERS


class Follower:
    """The host's view of a batch: what was drawn, which tracks are still wanted, how fast it goes."""

    def __init__(self, tasks: Sequence[BackboneTask], watch: Watch, *, end_index: int) -> None:
        self._tasks, self._watch, self._end_index = tasks, watch, end_index
        self._drawn: list[list[int]] = [[] for _ in tasks]
        self._writing = set(range(len(tasks)))
        self._cancelled: set[int] = set()
        self._failure: GenerationError | None = None
        self._started = time.perf_counter()

    def anyone_waits(self) -> bool:
        """Whether any track still needs tokens; asks the watch which are no longer wanted."""
        unwanted = {track for track in self._writing if self._watch.cancelled(track)}
        self._cancelled |= unwanted
        self._writing -= unwanted
        return bool(self._writing)

    def read(self, fresh_SB: npt.NDArray[np.int64]) -> None:
        """Take in newly drawn indices and report progress."""
        for track in sorted(self._writing):
            task, drawn = self._tasks[track], self._drawn[track]
            for index in fresh_SB[:, track].tolist():
                if index == self._end_index or len(drawn) == COARSE_LAYERS * task.max_frames:
                    self._writing.discard(track)
                    break
                drawn.append(index)
            if len(drawn) == COARSE_LAYERS * task.max_frames:
                self._writing.discard(track)
            speed = len(drawn) / (time.perf_counter() - self._started)
            fraction = min(len(drawn) / task.expected_tokens, 0.99)
            progress = Progress(phase=Phase.BACKBONE, fraction=fraction, tokens=len(drawn), tokens_per_second=speed)
            self._watch.progress(track, progress)

    def give_up(self, failure: GenerationError) -> None:
        """End what is still being written with this failure."""
        self._failure = failure

    def results(self) -> list[CoarseCodes | GenerationError]:
        """What became of each track; an incomplete last frame is dropped."""
        return [self._result(track) for track in range(len(self._tasks))]

    def _result(self, track: int) -> CoarseCodes | GenerationError:
        if track in self._cancelled:
            return Cancelled("The track was cancelled.")
        if self._failure and track in self._writing:
            return self._failure
        frames = len(self._drawn[track]) // COARSE_LAYERS
        if frames == 0:
            return EmptyGeneration(
                "The model ended the song before its first note. Try another seed, a higher temperature or other words."
            )
        codes = np.asarray(self._drawn[track][: frames * COARSE_LAYERS], dtype=np.int16)
        return CoarseCodes(values=codes.reshape(frames, COARSE_LAYERS))
