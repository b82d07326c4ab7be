"""Keeps the forecast of all open jobs at hand, made anew when somebody asks and the last one is a second old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select

from backend.jobs.database import Database
from backend.jobs.forecast import UNKNOWN, OpenJob, OpenTrack, Outlook, median_pace, outlooks
from backend.jobs.rows import UNFINISHED, now
from backend.jobs.tables import JobRow, TrackRow
from backend.jobs.turns import IN_TURN
from backend.workers.pool import WorkerPool
from core.job import TrackStatus

_FRESH_SECONDS = 1.0
_REMEMBERED_TRACKS = 20


class Forecaster:
    """Looks at the store and the workers, and says when jobs will start and be done."""

    def __init__(self, database: Database, pool: WorkerPool) -> None:
        self._database = database
        self._pool = pool
        self._made_at = float("-inf")
        self._outlooks: Mapping[str, Outlook] = {}
        self._one_at_a_time = asyncio.Lock()

    async def outlook(self, job_id: str) -> Outlook:
        """What to expect of a job, as of at most a second ago."""
        async with self._one_at_a_time:
            if job_id not in self._outlooks or time.monotonic() - self._made_at > _FRESH_SECONDS:
                self._outlooks = await asyncio.to_thread(self._look)
                self._made_at = time.monotonic()
        return replace(self._outlooks.get(job_id, UNKNOWN), failure=self._pool.failure())

    def _look(self) -> Mapping[str, Outlook]:
        loaded = [worker.engine for worker in self._pool.workers if worker.engine]
        paces = select(TrackRow.pace, JobRow.checkpoint).join(JobRow).where(TrackRow.status == TrackStatus.DONE)
        open_jobs = select(JobRow).where(
            JobRow.number.in_(select(TrackRow.job_number).where(TrackRow.status.in_(UNFINISHED)))
        )
        with self._database.reading() as session:
            latest = session.execute(paces.order_by(TrackRow.id.desc()).limit(_REMEMBERED_TRACKS)).all()
            # What another model took says nothing of these.
            models = {engine.checkpoint for engine in loaded}
            pace = median_pace([one for one, checkpoint in latest if one and checkpoint in models])
            jobs = [_open_job(row) for row in session.scalars(open_jobs.order_by(*IN_TURN))]
        return outlooks(jobs, pace, workers=len(loaded))


def _open_job(row: JobRow) -> OpenJob:
    return OpenJob(
        job_id=row.job_id,
        duration_minutes=row.request.duration_minutes,
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
            for track in row.tracks
            if not track.status.is_final
        ],
    )
