"""What every change of a job's rows has in common: transitions that are checked, versions that rise, files let go."""

from __future__ import annotations

from datetime import datetime, timezone

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.jobs.tables import DiscardedFilesRow, JobRow, TrackRow
from core.job import TrackStatus, check_transition
from core.progress import Phase

RUNNING = [status for status in TrackStatus if status.is_running]
UNFINISHED = [status for status in TrackStatus if not status.is_final]


def now() -> datetime:
    return datetime.now(timezone.utc)


def job_row(session: Session, job_id: str) -> JobRow | None:
    # No job has such an id, and PostgreSQL would not even take the question.
    if "\x00" in job_id:
        return None
    return session.scalar(select(JobRow).where(JobRow.job_id == job_id))


def move(row: TrackRow, status: TrackStatus) -> None:
    """Change a track's state, if that is legal, and note the moment its job ends."""
    check_transition(row.status, status)
    row.status = status
    touch(row.job)
    if not all(track.status.is_final for track in row.job.tracks):
        row.job.finished_at = None
    elif row.job.finished_at is None:
        row.job.finished_at = now()


def touch(row: JobRow) -> None:
    """Whoever follows this job should look again."""
    row.version += 1


def queue(session: Session, row: TrackRow) -> None:
    """Put a track (back) into the queue, as if it had never begun."""
    move(row, TrackStatus.QUEUED)
    _rest(row, "Queued")
    row.progress, row.worker_id, row.started_at, row.error = 0, None, None, None
    let_go(session, row)


def stop(session: Session, row: TrackRow, status: TrackStatus, phase_display: str, *, error: str | None) -> None:
    """End a track without a song."""
    move(row, status)
    _rest(row, phase_display)
    row.error = error
    let_go(session, row)


def finish(row: TrackRow) -> None:
    """End a track with a song."""
    move(row, TrackStatus.DONE)
    _rest(row, "Done")
    row.progress = 100


def let_go(session: Session, row: TrackRow) -> None:
    """The files of the track's attempt, if there are any, are nobody's from now on."""
    if row.file_id:
        session.add(DiscardedFilesRow(file_id=row.file_id, discarded_at=now()))
        row.file_id = None


def forget(session: Session, row: JobRow) -> None:
    """Remove a job; its files are nobody's from now on."""
    for track in row.tracks:
        let_go(session, track)
    session.delete(row)


def _rest(row: TrackRow, phase_display: str) -> None:
    row.phase, row.phase_fraction, row.phase_display = Phase.IDLE, 0.0, phase_display
    row.tokens_per_second = None
    row.cancel_wished = False
