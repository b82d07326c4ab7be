"""The state of a job, read off its tracks by the database: core.job.job_status in SQL, for filtering.

A test holds the two against each other for every combination of tracks.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, case, func, select

from backend.jobs.rows import RUNNING, UNFINISHED
from backend.jobs.tables import TrackRow
from core.job import JobStatus, TrackStatus


def with_status(statuses: Collection[JobStatus]) -> Select[int]:
    """Numbers of the jobs in one of these states."""
    running, unfinished = _count(RUNNING), _count(UNFINISHED)
    done, failed = _count([TrackStatus.DONE]), _count([TrackStatus.ERROR])
    total = func.count()
    status = case(
        (running > 0, JobStatus.GENERATING.value),
        (unfinished == total, JobStatus.QUEUED.value),
        (unfinished > 0, JobStatus.PENDING.value),
        (done == total, JobStatus.COMPLETED.value),
        (done > 0, JobStatus.PARTIAL.value),
        (failed > 0, JobStatus.FAILED.value),
        else_=JobStatus.CANCELLED.value,
    )
    wanted = sorted(one.value for one in statuses)
    return select(TrackRow.job_number).group_by(TrackRow.job_number).having(status.in_(wanted))


def _count(statuses: Collection[TrackStatus]) -> ColumnElement[int]:
    return func.sum(case((TrackRow.status.in_(statuses), 1), else_=0))
