"""The job store as the dispatcher sees it: it claims queued tracks, and is the only writer of running ones.

A claim gives each track a new file id, and with it its owner says who it is: what comes in the name of an attempt that
was given up cannot be written. Every change is one transaction. All calls block; the dispatcher makes them in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from backend.artifacts.store import TrackFiles, new_file_id
from backend.jobs.database import Database
from backend.jobs.forecast import Pace
from backend.jobs.rows import RUNNING, finish, move, now, queue, stop
from backend.jobs.tables import JobRow, TrackRow
from backend.jobs.turns import IN_TURN
from core.errors import IllegalTransition
from core.job import TrackStatus, track_status_of
from core.progress import Progress
from core.request import GenerationRequest

_INTERRUPTIONS = 3
"""How many times more than a worker may be lost the whole system may be interrupted at a track."""
_INTERRUPTED = (
    "Khala itself was ended by force while this track was made, {times} times in a row; most often memory ran out. A "
    "shorter duration, fewer tracks or the runtime mode one_shot need less. Retry makes it all the same."
)


@dataclass(frozen=True, kw_only=True)
class ClaimedTrack:
    """One claimed track; ``file_id`` names this attempt and its files."""

    index: int
    seed: int
    file_id: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Tracks of one job that now belong to one worker."""

    job_id: str
    request: GenerationRequest
    tracks: Sequence[ClaimedTrack]


class TrackQueue:
    """Queued and running tracks in a database. ``max_attempts`` is how often a track that is lost is tried."""

    def __init__(self, database: Database, *, max_attempts: int = 2) -> None:
        self._database = database
        self._max_attempts = max_attempts

    def claim(
        self, worker_id: int, *, idle_workers: int = 1, others: bool = False, checkpoint: str | None = None
    ) -> Claim | None:
        """Give an idle worker its share of the job whose turn it is: its queued tracks in ``idle_workers`` equal parts.

        What it is said to have at work already is queued again first: a claim that was kept, but whose answer was lost.
        With ``others``, other workers that could make a track, it is not given one that it lost itself.
        """
        waiting = select(TrackRow).where(TrackRow.status == TrackStatus.QUEUED)
        if others:
            waiting = waiting.where(TrackRow.lost_by.is_distinct_from(worker_id))
        with self._database.writing() as session:
            self._requeue(session, TrackRow.worker_id == worker_id, gives_back_the_attempt=True)
            first = session.scalar(waiting.join(JobRow).order_by(*IN_TURN).limit(1))
            if first is None:
                return None
            job = first.job
            rows = session.scalars(waiting.where(TrackRow.job_number == job.number).order_by(TrackRow.index)).all()
            taken = rows[: ceil(len(rows) / idle_workers)]
            moment = now()
            for row in taken:
                move(row, TrackStatus.GENERATING)
                row.worker_id, row.started_at = worker_id, moment
                row.attempts += 1
                row.file_id = new_file_id(moment)
            job.checkpoint = checkpoint or job.checkpoint
            return Claim(
                job_id=job.job_id,
                request=job.request,
                tracks=[ClaimedTrack(index=row.index, seed=row.seed, file_id=row.file_id or "") for row in taken],
            )

    def record_progress(self, file_id: str, progress: Progress) -> None:
        """Note where a track is; the percentage never goes back."""
        with self._database.writing() as session:
            row = _running(session, file_id)
            move(row, track_status_of(progress.phase))
            row.progress = max(row.progress, progress.percent)
            row.phase, row.phase_fraction = progress.phase, progress.fraction
            row.tokens_per_second = progress.tokens_per_second or None
            if not row.cancel_wished:
                row.phase_display = progress.display

    def finish(self, file_id: str, files: TrackFiles, *, pace: Pace) -> None:
        """The track is done; a warning stays readable as its ``error``."""
        with self._database.writing() as session:
            row = _running(session, file_id)
            finish(row)
            row.duration_seconds = files.duration_seconds
            row.pace = dict(pace)
            row.wav_file, row.mp3_file, row.metadata_file = files.wav_file, files.mp3_file, files.metadata_file
            row.error = files.warning

    def fail(self, file_id: str, error: str) -> None:
        """The track ended without a song."""
        with self._database.writing() as session:
            stop(session, _running(session, file_id), TrackStatus.ERROR, "Failed", error=error)

    def cancelled(self, file_id: str) -> None:
        """The track was stopped because somebody wished it; IllegalTransition if nobody did."""
        with self._database.writing() as session:
            row = _running(session, file_id)
            if not row.cancel_wished:
                raise IllegalTransition("a track that nobody wants to stop cannot be cancelled")
            stop(session, row, TrackStatus.CANCELLED, "Cancelled", error=None)

    def lose(self, file_id: str, reason: str) -> TrackStatus:
        """The track's worker is of no more use: queue it again, or fail it when it was tried often enough.

        A track that nobody wants any more is cancelled instead.
        """
        with self._database.writing() as session:
            row = _running(session, file_id)
            row.lost_by = row.worker_id
            if row.cancel_wished:
                stop(session, row, TrackStatus.CANCELLED, "Cancelled", error=None)
            elif row.attempts < self._max_attempts:
                queue(session, row)
            else:
                again = f" This happened {row.attempts} times in a row." if row.attempts > 1 else ""
                stop(session, row, TrackStatus.ERROR, "Failed", error=reason + again)
            return row.status

    def unwanted(self, job_id: str) -> set[str]:
        """File ids of the running tracks of a job that somebody wants to stop."""
        wished = select(TrackRow.file_id).join(JobRow).where(JobRow.job_id == job_id, TrackRow.cancel_wished)
        with self._database.reading() as session:
            return {file_id for file_id in session.scalars(wished.where(TrackRow.status.in_(RUNNING))) if file_id}

    def requeue_stopped(self) -> list[str]:
        """Queue again what was at work when the system was stopped in good order, as if it had never begun.

        Ids of those jobs; a track that nobody wants any more is cancelled instead.
        """
        with self._database.writing() as session:
            return self._requeue(session, gives_back_the_attempt=True)

    def requeue_interrupted(self) -> list[str]:
        """Queue again what is left running by a system that was killed or lost power, where it is still wanted.

        Nobody is to blame for that, unless it happens to a track again and again: one that takes the whole machine down
        with it, by the memory it needs, would otherwise be begun first at every start.
        """
        with self._database.writing() as session:
            return self._requeue(session, gives_back_the_attempt=False)

    def _requeue(self, session: Session, *which: ColumnElement[bool], gives_back_the_attempt: bool) -> list[str]:
        rows = session.scalars(select(TrackRow).where(TrackRow.status.in_(RUNNING), *which)).all()
        for row in rows:
            if row.cancel_wished:
                stop(session, row, TrackStatus.CANCELLED, "Cancelled", error=None)
            elif gives_back_the_attempt or row.attempts < self._max_attempts + _INTERRUPTIONS:
                queue(session, row)
                row.attempts -= gives_back_the_attempt
            else:
                stop(session, row, TrackStatus.ERROR, "Failed", error=_INTERRUPTED.format(times=row.attempts))
        return sorted({row.job.job_id for row in rows})


def _running(session: Session, file_id: str) -> TrackRow:
    """The track of this attempt; IllegalTransition when the attempt was given up or has ended."""
    row = session.scalar(select(TrackRow).where(TrackRow.file_id == file_id, TrackRow.status.in_(RUNNING)))
    if row is None:
        raise IllegalTransition("this attempt at a track has ended, so nothing more can be noted of it")
    return row
