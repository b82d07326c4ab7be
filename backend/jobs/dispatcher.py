"""Hands queued tracks to idle workers.

The only writer of running tracks, through the batches it starts. An idle worker never waits while there is a track it
may have: every submitted job, every worker that becomes idle and every batch that ends wakes the loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

from backend.artifacts.store import ArtifactStore
from backend.jobs.batch import Batch, BatchEnd
from backend.jobs.feed import JobFeed
from backend.jobs.housekeeping import Housekeeping
from backend.jobs.patience import persist
from backend.jobs.refusals import NoRoom
from backend.jobs.track_queue import Claim, TrackQueue
from backend.logs import log_job
from backend.metrics import Metrics
from backend.workers.client import WorkerLost
from backend.workers.pool import PooledWorker, WorkerPool
from core.errors import IllegalTransition

logger = logging.getLogger(__name__)

_ROOM_SECONDS = 10.0
"""So often at least the disk is looked at."""

_KILLED = (
    "The system ended the worker that made this track (signal {signal}), most often because memory ran out. A shorter "
    "duration, fewer tracks or the runtime mode one_shot need less."
)
_CRASHED = "The worker that made this track stopped unexpectedly (code {code}); its log in backend/logs says why."
_HUNG = (
    "The worker that made this track hung: {why}. If its steps really take that long, raise KHALA_WORKER_STALL_SECONDS."
)
_NONSENSE = "The worker that made this track gave no proper answer; the logs in backend/logs have the details."


class Dispatcher:
    """The loop between the job store and the worker pool."""

    def __init__(
        self,
        queue: TrackQueue,
        pool: WorkerPool,
        artifacts: ArtifactStore,
        housekeeping: Housekeeping,
        feed: JobFeed,
        metrics: Metrics,
        work: asyncio.Event,
        *,
        stall_seconds: float,
    ) -> None:
        """``work`` is set by whoever submits a job or sees a worker become idle."""
        self._queue = queue
        self._pool = pool
        self._artifacts = artifacts
        self._housekeeping = housekeeping
        self._feed = feed
        self._metrics = metrics
        self._work = work
        self._stall_seconds = stall_seconds
        self._batches = 0
        self._batch_ended = asyncio.Event()

    async def run(self) -> None:
        """Dispatch until cancelled."""
        await self._requeue(self._queue.requeue_interrupted)
        self._work.set()
        async with anyio.create_task_group() as batches:
            while True:
                was_held_up = self._pool.held_up is not None
                with anyio.move_on_after(_ROOM_SECONDS) as pause:
                    await self._work.wait()
                self._work.clear()
                # Looked at though nothing was submitted: that there is no room is told before somebody asks for a song.
                if await self._has_room() and (was_held_up or not pause.cancelled_caught):
                    await self._hand_out(batches)

    async def requeue(self) -> None:
        """Queue again what was stopped in good order, as if it had never begun."""
        await self._requeue(self._queue.requeue_stopped)

    async def _requeue(self, change: Callable[[], list[str]]) -> None:
        for job_id in await persist(change):
            logger.info("job %s: tracks left running are queued again", job_id)
        await self._housekeeping.remove_discarded()

    async def drain(self, *, grace_seconds: float) -> None:
        """Hand out nothing more, and wait so long for what is at work."""
        self._pool.close()
        with anyio.move_on_after(grace_seconds):
            while self._batches:
                self._batch_ended.clear()
                await self._batch_ended.wait()

    async def _hand_out(self, batches: TaskGroup) -> None:
        passed_over: set[int] = set()
        while idle := [one for one in self._pool.idle() if one.worker_id not in passed_over]:
            worker = idle[0]
            pid = worker.health.pid if worker.health else None
            claim = await persist(
                self._queue.claim,
                worker.worker_id,
                idle_workers=len(idle),
                others=self._pool.has_others(worker),
                checkpoint=worker.engine.checkpoint if worker.engine else None,
            )
            if claim is None:
                # What waits may be for another: a track is kept from the worker that lost it.
                passed_over.add(worker.worker_id)
                continue
            worker.lease(pid)
            self._batches += 1
            batches.start_soon(self._perform, worker, claim)

    async def _has_room(self) -> bool:
        """Whether another song fits on the disk: else a queue would be computed song by song and none could be kept."""
        try:
            await asyncio.to_thread(self._housekeeping.check_room)
        except NoRoom as full:
            if self._pool.held_up is None:
                logger.warning("nothing more is begun: %s", full)
            self._pool.held_up = str(full)
            return False
        self._pool.held_up = None
        return True

    async def _perform(self, worker: PooledWorker, claim: Claim) -> None:
        with log_job(claim.job_id):
            indexes = [track.index for track in claim.tracks]
            logger.info("job %s: tracks %s go to worker %d", claim.job_id, indexes, worker.worker_id)
            self._feed.changed(claim.job_id)
            try:
                batch = Batch(
                    claim,
                    worker,
                    queue=self._queue,
                    artifacts=self._artifacts,
                    feed=self._feed,
                    metrics=self._metrics,
                    stall_seconds=self._stall_seconds,
                )
                await self._conclude(worker, claim, await _follow(batch))
            finally:
                self._batches -= 1
                self._batch_ended.set()
        await self._pool.release(worker)
        # A track that went back to the queue may be for another worker, one that is idle already.
        self._work.set()

    async def _conclude(self, worker: PooledWorker, claim: Claim, end: BatchEnd) -> None:
        """Decide on what a batch has left open, and get a useless worker out of the way."""
        if end.lost:
            logger.warning("job %s: worker %d is lost: %s", claim.job_id, worker.worker_id, end.lost)
            cause, reason = await _explain(worker, end.lost)
            for track in end.open_tracks:
                try:
                    status = await persist(self._queue.lose, track.file_id, reason)
                except IllegalTransition:
                    # Its end was written down after all, by what was interrupted while it waited for the answer.
                    continue
                self._metrics.track_ended(cause)
                logger.warning("job %s: track %d is lost and now %s", claim.job_id, track.index, status.value)
        if end.lost or end.overdue:
            await worker.replace(at_once=end.lost is None)
        self._feed.changed(claim.job_id)
        await self._housekeeping.remove_discarded()


async def _follow(batch: Batch) -> BatchEnd:
    try:
        return await batch.follow()
    except Exception:
        # The dispatcher's edge: one batch that cannot be followed must not end all others.
        logger.exception("a batch could not be followed to its end")
        return batch.broken_off()


async def _explain(worker: PooledWorker, lost: WorkerLost) -> tuple[str, str]:
    """What was wrong with a worker: a word for the metrics, a sentence for people."""
    code = await worker.exit_code()
    if code is not None and code < 0:
        return "killed", _KILLED.format(signal=-code)
    if code is not None:
        return "crashed", _CRASHED.format(code=code)
    if lost.hung:
        return "hung", _HUNG.format(why=lost)
    return "nonsense", _NONSENSE
