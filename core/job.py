"""What a job is: a request with tracks, each in one state, and which states may follow which.

The state of a job is never stored; it is read off its tracks. Knows nothing of databases or HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from core.errors import IllegalTransition
from core.progress import Phase
from core.request import GenerationRequest

MAX_TITLE_CHARACTERS = 120
MAX_NOTES_CHARACTERS = 4_000


class TrackStatus(str, Enum):
    """State of one track (contract section 7)."""

    QUEUED = "queued"
    GENERATING = "generating"
    SUPERRES = "superres"
    DECODING = "decoding"
    DONE = "done"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (TrackStatus.DONE, TrackStatus.ERROR, TrackStatus.CANCELLED)

    @property
    def is_running(self) -> bool:
        return self in (TrackStatus.GENERATING, TrackStatus.SUPERRES, TrackStatus.DECODING)


class JobStatus(str, Enum):
    """State of a job, derived from its tracks (contract section 7)."""

    QUEUED = "queued"
    PENDING = "pending"
    GENERATING = "generating"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED, JobStatus.CANCELLED)


_STOPS = {TrackStatus.ERROR, TrackStatus.CANCELLED}
_FOLLOWS: dict[TrackStatus, set[TrackStatus]] = {
    # A running track goes back to the queue when its worker is lost, a stopped one when somebody asks for it again.
    TrackStatus.QUEUED: {TrackStatus.GENERATING, *_STOPS},
    TrackStatus.GENERATING: {TrackStatus.SUPERRES, TrackStatus.QUEUED, *_STOPS},
    TrackStatus.SUPERRES: {TrackStatus.DECODING, TrackStatus.QUEUED, *_STOPS},
    TrackStatus.DECODING: {TrackStatus.DONE, TrackStatus.QUEUED, *_STOPS},
    TrackStatus.DONE: set(),
    TrackStatus.ERROR: {TrackStatus.QUEUED},
    TrackStatus.CANCELLED: {TrackStatus.QUEUED},
}


def check_transition(old: TrackStatus, new: TrackStatus) -> None:
    """Raise IllegalTransition unless ``new`` may follow ``old``; staying is always legal."""
    if new is not old and new not in _FOLLOWS[old]:
        raise IllegalTransition(f"a track that is {old.value} cannot become {new.value}")


def track_status_of(phase: Phase) -> TrackStatus:
    """The track state in which a worker phase happens."""
    if phase in (Phase.LOADING_SUPERRES, Phase.SUPERRES):
        return TrackStatus.SUPERRES
    if phase in (Phase.LOADING_DECODER, Phase.DECODING):
        return TrackStatus.DECODING
    return TrackStatus.GENERATING


@dataclass(frozen=True, kw_only=True)
class Track:
    """One of a job's songs. Files are names inside the artifact store.

    ``file_id`` is fixed when a worker takes the track, a new one each time; what lies under an old one is nobody's.
    ``phase_fraction`` is how much of the phase is done, 0–1. ``cancel_wished``: somebody wants a running track to stop.
    ``started_at`` is the moment of the latest attempt.
    """

    index: int
    seed: int
    status: TrackStatus = TrackStatus.QUEUED
    progress: int = 0
    phase: Phase = Phase.IDLE
    phase_fraction: float = 0.0
    phase_display: str = "Queued"
    tokens_per_second: float | None = None
    worker_id: int | None = None
    attempts: int = 0
    cancel_wished: bool = False
    started_at: datetime | None = None
    file_id: str | None = None
    duration_seconds: float | None = None
    wav_file: str | None = None
    mp3_file: str | None = None
    metadata_file: str | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A request and its tracks, with what people write on it.

    ``client`` is who asked for it, in the words of the edge that took it. ``version`` rises with every change.
    ``checkpoint`` names the model that made it, once a worker has begun.
    """

    job_id: str
    request: GenerationRequest
    created_at: datetime
    tracks: Sequence[Track]
    warnings: Sequence[str] = field(default=())
    title: str = ""
    favourite: bool = False
    notes: str = ""
    client: str = ""
    finished_at: datetime | None = None
    checkpoint: str | None = None
    version: int = 1

    @property
    def status(self) -> JobStatus:
        return job_status([track.status for track in self.tracks])


def job_status(tracks: Sequence[TrackStatus]) -> JobStatus:
    """The state of a job whose tracks are in these states.

    ``pending`` is a job between two waves: some of its tracks ended, the others wait for a worker.
    """
    if any(track.is_running for track in tracks):
        return JobStatus.GENERATING
    if not all(track.is_final for track in tracks):
        return JobStatus.PENDING if any(track.is_final for track in tracks) else JobStatus.QUEUED
    done = sum(track is TrackStatus.DONE for track in tracks)
    if done:
        return JobStatus.COMPLETED if done == len(tracks) else JobStatus.PARTIAL
    return JobStatus.FAILED if TrackStatus.ERROR in tracks else JobStatus.CANCELLED
