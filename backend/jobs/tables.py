"""The tables jobs and tracks are kept in, and how a row becomes a Job."""

from __future__ import annotations

from datetime import datetime, timezone
from enum import Enum
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, String, TypeDecorator, UniqueConstraint
from sqlalchemy import Enum as EnumColumn
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from core.job import Job, Track, TrackStatus
from core.progress import Phase
from core.request import GenerationRequest

_REQUEST = TypeAdapter(GenerationRequest)
_AnyEnum = TypeVar("_AnyEnum", bound=Enum)


class _Utc(TypeDecorator[datetime]):
    """A moment, kept in UTC; SQLite itself forgets time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(timezone.utc)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=timezone.utc)


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


class JobRow(Base):
    """One job; ``number`` is its place in the order of arrival."""

    __tablename__ = "jobs"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(_Utc)
    request: Mapped[GenerationRequest] = mapped_column(_Request)
    warnings: Mapped[list[str]] = mapped_column(JSON)
    tracks: Mapped[list[TrackRow]] = relationship(
        back_populates="job", order_by="TrackRow.index", lazy="selectin", cascade="all, delete-orphan"
    )

    def to_job(self) -> Job:
        return Job(
            job_id=self.job_id,
            request=self.request,
            created_at=self.created_at,
            tracks=tuple(track.to_track() for track in self.tracks),
            warnings=tuple(self.warnings),
        )


class TrackRow(Base):
    """One track of a job."""

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
    phase_display: Mapped[str]
    worker_id: Mapped[int | None]
    attempts: Mapped[int]
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
