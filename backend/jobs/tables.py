"""The tables jobs and tracks are kept in, and how a row becomes a Job."""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy import Enum as EnumColumn
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from core.job import Job, Track, TrackStatus
from core.progress import Phase
from core.request import GenerationRequest

_REQUEST = TypeAdapter(GenerationRequest)
_PLAIN_FIELDS = [name for name in Job.__dataclass_fields__ if name not in ("tracks", "warnings")]
_AnyEnum = TypeVar("_AnyEnum", bound=Enum)


class Utc(TypeDecorator[datetime]):
    """A moment, kept in UTC. SQLite itself forgets time zones; PostgreSQL answers in the one it is set to."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(timezone.utc)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


class _Request(TypeDecorator[GenerationRequest]):
    """A request, as JSON."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: GenerationRequest | None, dialect: Dialect) -> Any:
        return None if value is None else _REQUEST.dump_python(value, mode="json")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> GenerationRequest | None:
        return None if value is None else _REQUEST.validate_python(value)


def _by_value(kind: type[_AnyEnum]) -> EnumColumn:
    """An enum as the text of its value, so that a database needs no change for a new member."""
    return EnumColumn(
        kind, native_enum=False, length=32, values_callable=lambda members: [member.value for member in members]
    )


class Base(DeclarativeBase):
    """Root of all tables."""

    # Said here, because versions of SQLAlchemy differ in what they make of a float.
    type_annotation_map = {float: Float()}  # noqa: RUF012


class JobRow(Base):
    """One job. ``number`` is the order of arrival, ``turn`` and ``cost`` its place among the clients' (see queue)."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_client_idempotency_key", "client", "idempotency_key", unique=True),
        Index("ix_jobs_client_turn", "client", "turn"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(Utc)
    request: Mapped[GenerationRequest] = mapped_column(_Request)
    warnings: Mapped[list[str]] = mapped_column(JSON)
    title: Mapped[str] = mapped_column(Text, server_default="")
    favourite: Mapped[bool] = mapped_column(server_default=false())
    notes: Mapped[str] = mapped_column(Text, server_default="")
    search_text: Mapped[str] = mapped_column(Text, server_default="")
    client: Mapped[str] = mapped_column(Text, server_default="")
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    turn: Mapped[int] = mapped_column(BigInteger, server_default="0", index=True)
    cost: Mapped[int] = mapped_column(server_default="0")
    finished_at: Mapped[datetime | None] = mapped_column(Utc)
    checkpoint: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(server_default="1")
    tracks: Mapped[list[TrackRow]] = relationship(
        back_populates="job", order_by="TrackRow.index", lazy="selectin", cascade="all, delete-orphan"
    )

    @classmethod
    def of(cls, job: Job, idempotency_key: str | None) -> JobRow:
        row = cls(
            **{name: getattr(job, name) for name in _PLAIN_FIELDS},
            warnings=list(job.warnings),
            tracks=[TrackRow.of(track) for track in job.tracks],
            idempotency_key=idempotency_key,
        )
        row.search_text = row.searchable()
        return row

    def searchable(self) -> str:
        """Every word people can find the job by, the same in small and capital letters."""
        request = self.request
        return "\n".join((self.title, request.prompt, request.tags, request.lyrics, self.notes)).casefold()

    def to_job(self) -> Job:
        return Job(
            tracks=tuple(track.to_track() for track in self.tracks),
            warnings=tuple(self.warnings),
            **{name: getattr(self, name) for name in _PLAIN_FIELDS},
        )


class TrackRow(Base):
    """One track of a job. ``lost_by`` is the worker that lost it last, ``pace`` the seconds of each phase a minute."""

    __tablename__ = "tracks"
    __table_args__ = (UniqueConstraint("job_number", "index"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_number: Mapped[int] = mapped_column(ForeignKey("jobs.number"), index=True)
    job: Mapped[JobRow] = relationship(back_populates="tracks")
    index: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[TrackStatus] = mapped_column(_by_value(TrackStatus), index=True)
    progress: Mapped[int]
    phase: Mapped[Phase] = mapped_column(_by_value(Phase))
    phase_fraction: Mapped[float] = mapped_column(server_default="0")
    phase_display: Mapped[str]
    tokens_per_second: Mapped[float | None]
    worker_id: Mapped[int | None]
    lost_by: Mapped[int | None]
    attempts: Mapped[int]
    cancel_wished: Mapped[bool] = mapped_column(server_default=false())
    started_at: Mapped[datetime | None] = mapped_column(Utc)
    pace: Mapped[dict[str, float] | None] = mapped_column(JSON(none_as_null=True))
    file_id: Mapped[str | None] = mapped_column(String(24), index=True)
    duration_seconds: Mapped[float | None]
    wav_file: Mapped[str | None]
    mp3_file: Mapped[str | None]
    metadata_file: Mapped[str | None]
    error: Mapped[str | None]

    @classmethod
    def of(cls, track: Track) -> TrackRow:
        return cls(**vars(track))

    def to_track(self) -> Track:
        return Track(**{name: getattr(self, name) for name in Track.__dataclass_fields__})


class DiscardedFilesRow(Base):
    """Files that belong to no track any more: of an attempt that was given up, or of a job that was removed."""

    __tablename__ = "discarded_files"

    file_id: Mapped[str] = mapped_column(String(24), primary_key=True)
    discarded_at: Mapped[datetime] = mapped_column(Utc)
