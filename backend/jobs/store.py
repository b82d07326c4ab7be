"""The job store as people see it: jobs are added, found, listed, written on, cancelled, asked for again, removed.

Every change is one transaction. All calls block; the service makes them in a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from backend.jobs.database import Database
from backend.jobs.job_status_sql import with_status
from backend.jobs.refusals import KeyReused, NotAsItIs, QueueFull
from backend.jobs.rows import RUNNING, forget, job_row, queue, stop, touch
from backend.jobs.tables import JobRow, TrackRow
from backend.jobs.turns import give_turn
from core.job import Job, JobStatus, TrackStatus

_STOPPED = (TrackStatus.ERROR, TrackStatus.CANCELLED)


@dataclass(frozen=True, kw_only=True)
class JobCounts:
    """How many jobs are being worked on, and how many have not begun."""

    active: int
    queued: int


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which jobs to list: in one of these states (any, if empty), with this text somewhere, favourites or not."""

    statuses: frozenset[JobStatus] = frozenset()
    text: str = ""
    favourite: bool | None = None


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """Some of the jobs that fit, newest first. ``next_before`` is where the next page begins, ``total`` counts all."""

    jobs: Sequence[Job]
    next_before: int | None
    total: int


@dataclass(frozen=True, kw_only=True)
class IdempotencyKey:
    """A client's word that two requests with this key are one; ``fingerprint`` tells whether they are the same."""

    key: str
    fingerprint: str


class JobStore:
    """Jobs in a database."""

    def __init__(
        self, database: Database, *, max_queued: int | None = None, check_room: Callable[[], None] = lambda: None
    ) -> None:
        """``check_room`` raises NoRoom when there is no room for another song."""
        self._database = database
        self._max_queued = max_queued
        self._check_room = check_room

    def add(self, job: Job, *, idempotency: IdempotencyKey | None = None) -> Job:
        """Keep a new job, or find the one this client sent before with this key; Refusal when it cannot be taken."""
        with self._database.writing() as session:
            if idempotency and (earlier := _sent_before(session, job.client, idempotency)):
                return earlier.to_job()
            self._check_admission(session)
            row = JobRow.of(job, idempotency.key if idempotency else None)
            row.fingerprint = idempotency.fingerprint if idempotency else None
            give_turn(session, row, tracks=len(row.tracks))
            session.add(row)
            return job

    def find(self, job_id: str) -> Job | None:
        with self._database.reading() as session:
            row = job_row(session, job_id)
            return row.to_job() if row else None

    def page(self, wanted: JobFilter, *, limit: int, before: int | None = None) -> JobPage:
        """At most ``limit`` jobs, from the one ``before`` (exclusive) back in time."""
        fitting = _fitting(wanted)
        newest = select(JobRow).where(*fitting).order_by(JobRow.number.desc()).limit(limit + 1)
        if before is not None:
            newest = newest.where(JobRow.number < before)
        with self._database.reading() as session:
            rows = session.scalars(newest).all()
            return JobPage(
                jobs=[row.to_job() for row in rows[:limit]],
                next_before=rows[limit - 1].number if len(rows) > limit else None,
                total=session.scalar(select(func.count()).select_from(JobRow).where(*fitting)) or 0,
            )

    def counts(self) -> JobCounts:
        running = select(TrackRow.job_number).where(TrackRow.status.in_(RUNNING)).distinct()
        with self._database.reading() as session:
            active = session.scalar(select(func.count()).select_from(running.subquery())) or 0
            return JobCounts(active=active, queued=_waiting_jobs(session))

    def edit(self, job_id: str, *, title: str | None, favourite: bool | None, notes: str | None) -> Job | None:
        """Write on a job what is not None; the job as it is then."""
        with self._database.writing() as session:
            row = job_row(session, job_id)
            if row is None:
                return None
            row.title = row.title if title is None else title
            row.favourite = row.favourite if favourite is None else favourite
            row.notes = row.notes if notes is None else notes
            row.search_text = row.searchable()
            touch(row)
            return row.to_job()

    def cancel(self, job_id: str) -> Job | None:
        """End the queued tracks, note the wish on running ones; nothing changes for a job that has ended."""
        with self._database.writing() as session:
            row = job_row(session, job_id)
            if row is None:
                return None
            for track in row.tracks:
                if track.status is TrackStatus.QUEUED:
                    stop(session, track, TrackStatus.CANCELLED, "Cancelled", error=None)
                elif track.status.is_running and not track.cancel_wished:
                    track.cancel_wished, track.phase_display = True, "Cancelling..."
                    touch(row)
            return row.to_job()

    def retry(self, job_id: str) -> Job | None:
        """Queue an ended job's failed and cancelled tracks again, behind the others; Refusal when that cannot be."""
        with self._database.writing() as session:
            row = job_row(session, job_id)
            if row is None:
                return None
            stopped = [track for track in row.tracks if track.status in _STOPPED]
            if not row.to_job().status.is_final:
                raise NotAsItIs("This job has not ended yet, so there is nothing to try again.")
            if not stopped:
                raise NotAsItIs("Every track of this job is done, so there is nothing to try again.")
            self._check_admission(session)
            for track in stopped:
                queue(session, track)
                track.attempts, track.lost_by = 0, None
            give_turn(session, row, tracks=len(stopped))
            return row.to_job()

    def remove(self, job_id: str) -> bool:
        """Forget an ended job and let go of its files; NotAsItIs for one that has not ended, False if there is none."""
        with self._database.writing() as session:
            row = job_row(session, job_id)
            if row is None:
                return False
            if not row.to_job().status.is_final:
                raise NotAsItIs("This job has not ended yet. Cancel it first, then remove it.")
            forget(session, row)
            return True

    def _check_admission(self, session: Session) -> None:
        if self._max_queued is not None and _waiting_jobs(session) >= self._max_queued:
            raise QueueFull(f"{self._max_queued} jobs wait already, and no more may. Ask again later.")
        self._check_room()


def _sent_before(session: Session, client: str, idempotency: IdempotencyKey) -> JobRow | None:
    same = select(JobRow).where(JobRow.client == client, JobRow.idempotency_key == idempotency.key)
    earlier = session.scalar(same)
    if earlier and earlier.fingerprint != idempotency.fingerprint:
        raise KeyReused("This Idempotency-Key came with another request before. Use a new key for a new request.")
    return earlier


def _waiting() -> Select[int]:
    return select(TrackRow.job_number).where(TrackRow.status == TrackStatus.QUEUED)


def _waiting_jobs(session: Session) -> int:
    """How many jobs have not begun: nothing of them is at work, something waits."""
    running = select(TrackRow.job_number).where(TrackRow.status.in_(RUNNING))
    queued = _waiting().where(TrackRow.job_number.not_in(running)).distinct()
    return session.scalar(select(func.count()).select_from(queued.subquery())) or 0


def _fitting(wanted: JobFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.statuses:
        conditions.append(JobRow.number.in_(with_status(wanted.statuses)))
    if wanted.text:
        conditions.append(JobRow.search_text.contains(wanted.text.casefold(), autoescape=True))
    if wanted.favourite is not None:
        conditions.append(JobRow.favourite == wanted.favourite)
    return conditions
