"""The job store: the one place where the state of jobs and tracks is kept, in SQLite (WAL) or any SQLAlchemy database.

Every change is one transaction and goes through ``check_transition``, so that an illegal one cannot be written.
All calls block; the service and the dispatcher make them in a thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from sqlalchemy import Connection, create_engine, distinct, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.orm import Session

from backend.artifacts.store import TrackFiles
from backend.jobs.tables import Base, JobRow, TrackRow
from core.errors import KhalaError
from core.job import Job, TrackStatus, check_transition, track_status_of
from core.progress import Phase, Progress
from core.request import GenerationRequest

_BUSY_TIMEOUT_MS = 10_000
_RUNNING = [status for status in TrackStatus if status.is_running]
_LOST = (
    "The worker that made this track stopped unexpectedly, {attempts} times in a row. Its log in backend/logs says "
    "why; too little memory is the usual cause. A shorter duration or fewer tracks may help."
)


class DatabaseUnusable(KhalaError):
    """The database is not there, or is none. The address is not repeated: it may hold a password."""


@dataclass(frozen=True, kw_only=True)
class ClaimedTrack:
    """One claimed track."""

    index: int
    seed: int


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Tracks of one job that now belong to one worker."""

    job_id: str
    request: GenerationRequest
    tracks: Sequence[ClaimedTrack]


@dataclass(frozen=True, kw_only=True)
class JobCounts:
    """How many jobs are being worked on, and how many have not begun."""

    active: int
    queued: int


class JobStore:
    """Jobs in a database."""

    def __init__(self, url: str, *, max_attempts: int = 2) -> None:
        """DatabaseUnusable when no database can have this address."""
        try:
            self._engine = create_engine(url)
        except (ArgumentError, ImportError) as error:
            raise DatabaseUnusable(
                "KHALA_DATABASE_URL is not the address of a database that can be used here. "
                "An example is sqlite:////var/lib/khala/jobs.sqlite3; other databases need their driver installed."
            ) from error
        self._max_attempts = max_attempts
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)

    def open(self) -> None:
        """Make the folder and the tables where they are missing; DatabaseUnusable when that cannot be done."""
        url = make_url(self._engine.url)
        if url.get_backend_name() == "sqlite" and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        try:
            Base.metadata.create_all(self._engine)
        except DatabaseError as error:
            raise DatabaseUnusable(
                f"The database of KHALA_DATABASE_URL cannot be opened: {error.orig}. "
                "Check that it is the right one and that it may be written to."
            ) from error

    def close(self) -> None:
        self._engine.dispose()

    def add(self, job: Job) -> None:
        """Keep a new job."""
        with self._writing() as session:
            session.add(
                JobRow(
                    job_id=job.job_id,
                    created_at=job.created_at,
                    request=job.request,
                    warnings=list(job.warnings),
                    tracks=[TrackRow.of(track) for track in job.tracks],
                )
            )

    def find(self, job_id: str) -> Job | None:
        with self._reading() as session:
            row = session.scalar(select(JobRow).where(JobRow.job_id == job_id))
            return row.to_job() if row else None

    def queue_position(self, job_id: str) -> int:
        """1 for the job whose tracks are handed out next, 0 for one that waits for nothing."""
        waiting = select(TrackRow.job_number).where(TrackRow.status == TrackStatus.QUEUED)
        mine = select(JobRow.number).where(JobRow.job_id == job_id, JobRow.number.in_(waiting)).scalar_subquery()
        with self._reading() as session:
            ahead = select(func.count(distinct(TrackRow.job_number))).where(
                TrackRow.status == TrackStatus.QUEUED, TrackRow.job_number <= mine
            )
            return session.scalar(ahead) or 0

    def counts(self) -> JobCounts:
        running = select(TrackRow.job_number).where(TrackRow.status.in_(_RUNNING))
        queued = select(func.count(distinct(TrackRow.job_number))).where(
            TrackRow.status == TrackStatus.QUEUED, TrackRow.job_number.not_in(running)
        )
        with self._reading() as session:
            active = session.scalar(select(func.count()).select_from(running.distinct().subquery())) or 0
            return JobCounts(active=active, queued=session.scalar(queued) or 0)

    def claim(self, worker_id: int, *, idle_workers: int = 1) -> Claim | None:
        """Give a worker its share of the oldest waiting job: its queued tracks in ``idle_workers`` equal parts."""
        with self._writing() as session:
            oldest = select(func.min(TrackRow.job_number)).where(TrackRow.status == TrackStatus.QUEUED)
            waiting = session.scalars(
                select(TrackRow)
                .where(TrackRow.job_number == oldest.scalar_subquery(), TrackRow.status == TrackStatus.QUEUED)
                .order_by(TrackRow.index)
                .with_for_update(skip_locked=True)
            ).all()
            if not waiting:
                return None
            taken = waiting[: ceil(len(waiting) / idle_workers)]
            for row in taken:
                _move(row, TrackStatus.GENERATING)
                row.worker_id = worker_id
                row.attempts += 1
            job = taken[0].job
            return Claim(
                job_id=job.job_id,
                request=job.request,
                tracks=[ClaimedTrack(index=row.index, seed=row.seed) for row in taken],
            )

    def record_progress(self, job_id: str, index: int, progress: Progress) -> None:
        """Note where a track is; the percentage never goes back."""
        with self._writing() as session:
            row = _track(session, job_id, index)
            _move(row, track_status_of(progress.phase))
            row.progress = max(row.progress, progress.percent)
            row.phase = progress.phase
            row.phase_display = progress.display

    def finish(self, job_id: str, index: int, files: TrackFiles) -> None:
        """The track is done; a warning stays readable as its ``error``."""
        with self._writing() as session:
            row = _track(session, job_id, index)
            _move(row, TrackStatus.DONE)
            _rest(row, "Done")
            row.progress = 100
            row.duration_seconds = files.duration_seconds
            row.wav_file, row.mp3_file, row.metadata_file = files.wav_file, files.mp3_file, files.metadata_file
            row.error = files.warning

    def fail(self, job_id: str, index: int, error: str) -> None:
        """The track ended without a song."""
        with self._writing() as session:
            _fail(_track(session, job_id, index), error)

    def lose(self, job_id: str, index: int) -> TrackStatus:
        """The track's worker is gone: queue it again, or fail it when it was tried often enough."""
        with self._writing() as session:
            row = _track(session, job_id, index)
            if row.attempts < self._max_attempts:
                _requeue(row)
            else:
                _fail(row, _LOST.format(attempts=row.attempts))
            return row.status

    def requeue_running(self) -> list[str]:
        """Queue again what the dispatcher's last life left running, as if it had never begun; ids of those jobs."""
        with self._writing() as session:
            rows = session.scalars(select(TrackRow).where(TrackRow.status.in_(_RUNNING))).all()
            for row in rows:
                _requeue(row)
                row.attempts -= 1
            return sorted({row.job.job_id for row in rows})

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with Session(self._engine) as session, session.begin():
            yield session

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with Session(self._engine.execution_options(read_only=True)) as session:
            yield session


def _track(session: Session, job_id: str, index: int) -> TrackRow:
    return session.scalars(
        select(TrackRow)
        .join(JobRow)
        .where(JobRow.job_id == job_id, TrackRow.index == index)
        .with_for_update(of=TrackRow)
    ).one()


def _move(row: TrackRow, status: TrackStatus) -> None:
    check_transition(row.status, status)
    row.status = status


def _rest(row: TrackRow, phase_display: str) -> None:
    row.phase = Phase.IDLE
    row.phase_display = phase_display


def _requeue(row: TrackRow) -> None:
    _move(row, TrackStatus.QUEUED)
    _rest(row, "Queued")
    row.progress = 0
    row.worker_id = None


def _fail(row: TrackRow, error: str) -> None:
    _move(row, TrackStatus.ERROR)
    _rest(row, "Failed")
    row.error = error


def _prepare_sqlite(connection: SqliteConnection, record: object) -> None:
    # The driver would begin transactions by itself and too late; _begin_sqlite does it instead.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the write lock before it reads, so that what it read is still true when it writes.
    read_only = connection.get_execution_options().get("read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
