"""Everything that has not ended, at hand: each open job, its place in the queue, and when it will be done.

The board is written anew from the store when somebody looks and it is no longer fresh. So however many clients poll,
the store is read a few times a second; and where very much is open, for no more than a share of the time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import select

from backend.jobs.database import Database
from backend.jobs.feed import JobFeed
from backend.jobs.forecast import UNKNOWN, OpenJob, OpenTrack, Outlook, median_pace, outlooks
from backend.jobs.rows import UNFINISHED, now
from backend.jobs.tables import JobRow, TrackRow
from backend.jobs.turns import IN_TURN
from backend.workers.pool import WorkerPool
from core.job import Job, TrackStatus

_FRESH_SECONDS, _STALE_SECONDS = 0.25, 2.0
"""How long a board is good for, at least and at most."""
_LOOKS_FOR_A_WRITE = 10
"""A board stays fresh for at least so many times as long as it took to write."""
_REMEMBERED_TRACKS = 20


@dataclass(frozen=True, kw_only=True)
class PlacedJob:
    """A job, its place in the queue (1 is next, 0 waits for nothing), and when it will be done."""

    job: Job
    queue_position: int = 0
    outlook: Outlook = UNKNOWN


class Board:
    """What is open, as of a moment ago."""

    def __init__(
        self,
        database: Database,
        pool: WorkerPool,
        feed: JobFeed,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._pool, self._feed, self._clock = database, pool, feed, clock
        self._open: Mapping[str, PlacedJob] = {}
        self._fresh_until = float("-inf")
        self._news_written = -1
        self._one_at_a_time = asyncio.Lock()

    async def find(self, job_id: str, *, with_all_news: bool = False) -> PlacedJob | None:
        """An open job; None for one that has ended or never was.

        ``with_all_news`` is for whoever made a change or was woken by one: nothing that was told by now is missing.
        """
        told = self._feed.news
        async with self._one_at_a_time:
            is_behind = with_all_news and self._news_written < told
            if is_behind or self._clock() > self._fresh_until:
                news, began = self._feed.news, self._clock()
                self._open = await asyncio.to_thread(self._write)
                self._news_written, ended = news, self._clock()
                self._fresh_until = ended + min(
                    max(_FRESH_SECONDS, _LOOKS_FOR_A_WRITE * (ended - began)), _STALE_SECONDS
                )
        placed, failure = self._open.get(job_id), self._pool.failure()
        if placed is None or failure is None:
            return placed
        known = UNKNOWN if placed.queue_position else placed.outlook
        return replace(placed, outlook=replace(known, failure=failure))

    def _write(self) -> dict[str, PlacedJob]:
        loaded = [worker.engine for worker in self._pool.workers if worker.engine]
        paces = select(TrackRow.pace, JobRow.checkpoint).join(JobRow).where(TrackRow.status == TrackStatus.DONE)
        unfinished = select(TrackRow.job_number).where(TrackRow.status.in_(UNFINISHED))
        open_jobs = select(JobRow).where(JobRow.number.in_(unfinished)).order_by(*IN_TURN)
        with self._database.reading() as session:
            latest = session.execute(paces.order_by(TrackRow.id.desc()).limit(_REMEMBERED_TRACKS)).all()
            jobs = [row.to_job() for row in session.scalars(open_jobs)]
        # What another model took says nothing of these.
        models = {engine.checkpoint for engine in loaded}
        pace = median_pace([one for one, checkpoint in latest if one and checkpoint in models])
        outlook = outlooks([_open_job(job) for job in jobs], pace, workers=len(loaded))
        written, waiting = {}, 0
        for job in jobs:
            waits = any(track.status is TrackStatus.QUEUED for track in job.tracks)
            waiting += waits
            written[job.job_id] = PlacedJob(
                job=job, queue_position=waiting if waits else 0, outlook=outlook[job.job_id]
            )
        return written


def _open_job(job: Job) -> OpenJob:
    return OpenJob(
        job_id=job.job_id,
        duration_minutes=job.request.duration_minutes,
        tracks=[
            OpenTrack(
                index=track.index,
                status=track.status,
                phase=track.phase,
                phase_fraction=track.phase_fraction,
                progress=track.progress,
                worker_id=track.worker_id,
                seconds_at_work=(now() - track.started_at).total_seconds() if track.started_at else 0.0,
            )
            for track in job.tracks
            if not track.status.is_final
        ],
    )
