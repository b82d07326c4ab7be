"""Hands queued tracks to idle workers and writes down what comes of them.

The only writer of running tracks. An idle worker never waits while a track is queued: every submitted job, every
worker that becomes idle and every batch that ends wakes the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import ParamSpec, TypeVar

import anyio
from anyio.abc import TaskGroup
from sqlalchemy.exc import OperationalError

from backend.artifacts.store import ArtifactStore
from backend.jobs.store import Claim, JobStore
from backend.workers.client import WorkerLost
from backend.workers.messages import Event, FailedEvent, FinishedEvent, GenerateTask, ProgressEvent, TrackTask
from backend.workers.pool import PooledWorker, WorkerPool
from core.errors import ArtifactError, IllegalTransition

logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

_STORE_RETRY_SECONDS = 1.0


class Dispatcher:
    """The loop between the job store and the worker pool."""

    def __init__(self, store: JobStore, pool: WorkerPool, artifacts: ArtifactStore, work: asyncio.Event) -> None:
        """``work`` is set by whoever submits a job or sees a worker become idle."""
        self._store = store
        self._pool = pool
        self._artifacts = artifacts
        self._work = work

    async def run(self) -> None:
        """Dispatch until cancelled."""
        for job_id in await asyncio.to_thread(self._store.requeue_running):
            logger.info("job %s: tracks left running by the last life are queued again", job_id)
        self._work.set()
        async with anyio.create_task_group() as batches:
            while True:
                await self._work.wait()
                self._work.clear()
                await self._hand_out(batches)

    async def _hand_out(self, batches: TaskGroup) -> None:
        while idle := self._pool.idle():
            worker = idle[0]
            # Leased before the first await, so that nobody else can book the worker meanwhile.
            worker.lease()
            claim = await self._persist(self._store.claim, worker.worker_id, idle_workers=len(idle))
            if claim is None:
                worker.release()
                return
            batches.start_soon(self._perform, worker, claim)

    async def _perform(self, worker: PooledWorker, claim: Claim) -> None:
        """Follow one batch to its end; whatever has not ended by then is lost."""
        open_tracks = {track.index for track in claim.tracks}
        logger.info("job %s: tracks %s go to worker %d", claim.job_id, sorted(open_tracks), worker.worker_id)
        task = GenerateTask(
            job_id=claim.job_id,
            request=claim.request,
            tracks=tuple(TrackTask(index=track.index, seed=track.seed) for track in claim.tracks),
        )
        try:
            async with aclosing(worker.client.generate(task)) as events:
                async for event in events:
                    if event.track not in open_tracks:
                        raise WorkerLost(f"it spoke of track {event.track}, which it does not have")
                    if await self._record(claim.job_id, event):
                        open_tracks.discard(event.track)
        except (WorkerLost, IllegalTransition, ArtifactError) as error:
            logger.warning("job %s: worker %d is lost: %s", claim.job_id, worker.worker_id, error)
        for index in sorted(open_tracks):
            status = await self._persist(self._store.lose, claim.job_id, index)
            logger.warning("job %s: track %d is lost and now %s", claim.job_id, index, status.value)
        # A track that went back to the queue may be for another worker, one that is idle already.
        self._work.set()
        await self._pool.release(worker)

    async def _record(self, job_id: str, event: Event) -> bool:
        """Write one event down; whether it ends its track."""
        match event:
            case ProgressEvent(track=track, progress=progress):
                await self._persist(self._store.record_progress, job_id, track, progress)
                return False
            case FinishedEvent(track=track, files=files):
                for name in (files.wav_file, files.mp3_file, files.metadata_file):
                    if name is not None:
                        self._artifacts.find(name)
                await self._persist(self._store.finish, job_id, track, files)
                logger.info("job %s: track %d is done, %.1f s", job_id, track, files.duration_seconds)
            case FailedEvent(track=track, error=error):
                await self._persist(self._store.fail, job_id, track, error)
                logger.warning("job %s: track %d failed: %s", job_id, track, error)
        return True

    async def _persist(self, change: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Make a change in the store; a database that is locked or full is asked again until it takes it."""
        while True:
            try:
                return await asyncio.to_thread(change, *args, **kwargs)
            except OperationalError:  # noqa: PERF203
                logger.exception("the job store did not take a change; trying again")
                await asyncio.sleep(_STORE_RETRY_SECONDS)
