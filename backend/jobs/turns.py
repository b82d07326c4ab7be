"""Whose turn it is: first come, first served, with fair shares between clients (start-time fair queueing).

Work costs minutes of song. A job's ``turn`` is where its client's earlier jobs leave off, or where the queue is now if
that is later; jobs are handed out by turn, then by arrival. So who asks for ten songs waits for other people's between
them, and who asks for one does not wait for all ten. What is cancelled before it begins costs nothing.
"""

from __future__ import annotations

from sqlalchemy import func, null, or_, select
from sqlalchemy.orm import Session

from backend.jobs.rows import UNFINISHED
from backend.jobs.tables import JobRow, TrackRow
from core.job import TrackStatus

IN_TURN = (JobRow.turn, JobRow.number)
"""The order in which jobs are handed out."""


def give_turn(session: Session, row: JobRow, *, tracks: int) -> None:
    """Put a job behind its client's others. ``tracks`` is how many are to be made."""
    row.cost = row.request.duration_minutes * tracks
    row.turn = max(_queue_is_at(session), _client_is_at(session, row))


def _queue_is_at(session: Session) -> int:
    unfinished = select(TrackRow.job_number).where(TrackRow.status.in_(UNFINISHED))
    at_work = session.scalar(select(func.min(JobRow.turn)).where(JobRow.number.in_(unfinished)))
    return at_work if at_work is not None else session.scalar(select(func.max(JobRow.turn))) or 0


def _client_is_at(session: Session, row: JobRow) -> int:
    latest = select(JobRow.turn + JobRow.cost).where(JobRow.client == row.client, JobRow.job_id != row.job_id)
    latest = latest.where(
        JobRow.tracks.any(or_(TrackRow.status != TrackStatus.CANCELLED, TrackRow.started_at != null()))
    )
    return session.scalar(latest.order_by(JobRow.turn.desc()).limit(1)) or 0
