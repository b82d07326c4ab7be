"""One claim on its worker, followed to its end: events are written down, wishes to stop passed on, hangs noticed.

A track that has not ended when the worker is of no more use is lost; whoever started the batch decides what then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import anyio

from backend.artifacts.store import ArtifactStore, names_of
from backend.jobs.feed import JobFeed
from backend.jobs.patience import persist
from backend.jobs.phase_clock import PhaseClock
from backend.jobs.track_queue import Claim, ClaimedTrack, TrackQueue
from backend.metrics import Metrics
from backend.workers.client import WorkerLost
from backend.workers.messages import (
    CancelledEvent,
    Event,
    FailedEvent,
    FinishedEvent,
    GenerateTask,
    ProgressEvent,
    TrackTask,
)
from backend.workers.pool import PooledWorker
from core.errors import ArtifactError, IllegalTransition

logger = logging.getLogger(__name__)

_STOP_SECONDS = 1.0
"""So long a worker may take to stop a track; then it is stopped as a whole, if nothing else is left of the batch."""
_LAST_WORDS_SECONDS = 10.0
"""So long a worker may take to say that it is done when all its tracks have ended."""
_LOOK_SECONDS = 1.0
"""Wishes are heard of at once; so often they are looked for all the same."""


@dataclass(frozen=True, kw_only=True)
class BatchEnd:
    """What is left of a batch. ``lost`` says what was wrong with the worker, ``overdue`` that it has yet to stop."""

    open_tracks: Sequence[ClaimedTrack]
    lost: WorkerLost | None
    overdue: bool


class Batch:
    """Follows one claim."""

    def __init__(
        self,
        claim: Claim,
        worker: PooledWorker,
        *,
        queue: TrackQueue,
        artifacts: ArtifactStore,
        feed: JobFeed,
        metrics: Metrics,
        stall_seconds: float,
    ) -> None:
        self._claim = claim
        self._worker = worker
        self._queue = queue
        self._artifacts = artifacts
        self._feed = feed
        self._metrics = metrics
        self._stall_seconds = stall_seconds
        self._open = {track.index: track for track in claim.tracks}
        self._given_up: set[int] = set()
        self._one_at_a_time = asyncio.Lock()
        self._clock = PhaseClock()
        self._lost: WorkerLost | None = None
        self._overdue = False

    async def follow(self) -> BatchEnd:
        """Return when the worker has no more to say, or nobody listens any more."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen, tasks.cancel_scope)
            tasks.start_soon(self._heed_wishes, tasks.cancel_scope)
        return BatchEnd(open_tracks=list(self._open.values()), lost=self._lost, overdue=self._overdue)

    def broken_off(self) -> BatchEnd:
        """The end of a batch that could not be followed."""
        lost = WorkerLost("the dispatcher could not follow it; the traceback is above")
        return BatchEnd(open_tracks=list(self._open.values()), lost=lost, overdue=False)

    async def _listen(self, batch: anyio.CancelScope) -> None:
        claim = self._claim
        tasks = (TrackTask(index=track.index, seed=track.seed, file_id=track.file_id) for track in claim.tracks)
        task = GenerateTask(job_id=claim.job_id, request=claim.request, tracks=tuple(tasks))
        try:
            async with aclosing(self._worker.client.generate(task)) as events:
                while True:
                    with anyio.fail_after(self._stall_seconds if self._open else _LAST_WORDS_SECONDS):
                        event = await anext(events)
                    await self._take_in(event)
        except StopAsyncIteration:
            if self._open:
                self._lost = WorkerLost("its stream of events ended too early")
        except TimeoutError:
            self._lost = WorkerLost(f"it made no progress for {self._stall_seconds:g} seconds", hung=True)
        except WorkerLost as error:
            self._lost = error
        except (IllegalTransition, ArtifactError) as error:
            self._lost = WorkerLost(f"what it said cannot be: {error}")
        batch.cancel()

    async def _take_in(self, event: Event) -> None:
        async with self._one_at_a_time:
            if event.track in self._given_up:
                return
            track = self._open.get(event.track)
            if track is None:
                raise WorkerLost(f"it spoke of track {event.track}, which it does not have")
            await self._record(track, event)
            if not isinstance(event, ProgressEvent):
                del self._open[event.track]
        self._feed.changed(self._claim.job_id)

    async def _record(self, track: ClaimedTrack, event: Event) -> None:
        job_id = self._claim.job_id
        match event:
            case ProgressEvent(progress=progress):
                await persist(self._queue.record_progress, track.file_id, progress)
                self._metrics.progress(progress)
                if left := self._clock.enter(track.index, progress.phase):
                    self._metrics.phase_ended(*left)
            case FinishedEvent(files=files):
                if not {files.wav_file, files.mp3_file, files.metadata_file} <= {None, *names_of(track.file_id)}:
                    raise WorkerLost("it named files that are not the track's")
                for name in filter(None, (files.wav_file, files.mp3_file, files.metadata_file)):
                    self._artifacts.find(name)
                if left := self._clock.leave(track.index):
                    self._metrics.phase_ended(*left)
                minutes = self._claim.request.duration_minutes * len(self._claim.tracks)
                pace = {phase: seconds / minutes for phase, seconds in self._clock.seconds(track.index).items()}
                await persist(self._queue.finish, track.file_id, files, pace=pace)
                self._metrics.track_ended("done")
                logger.info("job %s: track %d is done, %.1f s", job_id, track.index, files.duration_seconds)
            case FailedEvent(error=error):
                await persist(self._queue.fail, track.file_id, error)
                self._metrics.track_ended("failed")
                logger.warning("job %s: track %d failed: %s", job_id, track.index, error)
            case CancelledEvent():
                await self._note_cancelled(track)

    async def _note_cancelled(self, track: ClaimedTrack) -> None:
        await persist(self._queue.cancelled, track.file_id)
        self._metrics.track_ended("cancelled")
        logger.info("job %s: track %d is cancelled", self._claim.job_id, track.index)

    async def _heed_wishes(self, batch: anyio.CancelScope) -> None:
        with self._feed.listening(self._claim.job_id) as news:
            while True:
                news.clear()
                wished = await persist(self._queue.unwanted, self._claim.job_id)
                unwanted = [track for track in self._open.values() if track.file_id in wished]
                if unwanted:
                    await self._stop(unwanted, news)
                    if self._given_up and not self._open:
                        # What it still does is for nobody, and may take long: loading a model cannot be interrupted.
                        self._overdue = True
                        batch.cancel()
                with anyio.move_on_after(_LOOK_SECONDS):
                    await news.wait()

    async def _stop(self, unwanted: Sequence[ClaimedTrack], news: asyncio.Event) -> None:
        """Have the worker stop these tracks; those it has not stopped in time are cancelled all the same."""
        with anyio.move_on_after(_STOP_SECONDS):
            await self._worker.client.cancel(self._claim.job_id, [track.index for track in unwanted])
            while any(track.index in self._open for track in unwanted):
                news.clear()
                await news.wait()
        async with self._one_at_a_time:
            for track in unwanted:
                if track.index in self._open:
                    await self._note_cancelled(track)
                    self._given_up.add(track.index)
                    del self._open[track.index]
        self._feed.changed(self._claim.job_id)
