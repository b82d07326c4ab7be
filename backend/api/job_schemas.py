"""Jobs and tracks as the API tells them, field for field as published (contract section 7); additions are marked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from backend.api.schemas import EXAMPLE_JOB_ID, Seconds, Text
from backend.artifacts.metadata import request_body
from backend.jobs.board import PlacedJob
from backend.jobs.forecast import Outlook
from core.job import MAX_NOTES_CHARACTERS, MAX_TITLE_CHARACTERS, Job, JobStatus, Track, TrackStatus
from core.progress import Phase
from core.request import Mode, PromptMode


class TrackAnswer(BaseModel):
    """One track. ``warning``, ``has_mp3``, ``seed``, ``tokens_per_second`` and ``eta_seconds`` are additions."""

    index: int
    status: TrackStatus
    progress: int = Field(ge=0, le=100)
    phase_display: str = Field(examples=["Backbone generating · 42% · 310 tok/s · 3261 tokens"])
    worker_id: int | None
    worker_phase: Phase
    duration_sec: float | None
    error: str | None = Field(description="Why there is no song.")
    warning: str | None = Field(description="What is wrong with a song that is there, such as a missing MP3.")
    has_mp3: bool = Field(description="Whether its song is there as MP3 too.")
    seed: int
    tokens_per_second: float | None = Field(description="Speed of the backbone while it writes.")
    eta_seconds: Seconds

    @classmethod
    def of(cls, track: Track, outlook: Outlook) -> TrackAnswer:
        done = track.status is TrackStatus.DONE
        waits_for = outlook.failure if track.status is TrackStatus.QUEUED else None
        return cls(
            index=track.index,
            status=track.status,
            progress=track.progress,
            phase_display=f"{track.phase_display} · {waits_for}" if waits_for else track.phase_display,
            worker_id=track.worker_id,
            worker_phase=track.phase,
            duration_sec=track.duration_seconds,
            error=None if done else track.error,
            warning=track.error if done else None,
            has_mp3=track.mp3_file is not None,
            seed=track.seed,
            tokens_per_second=track.tokens_per_second,
            eta_seconds=outlook.track_seconds.get(track.index),
        )


class WaveformAnswer(BaseModel):
    """A track's shape."""

    peaks: list[float] = Field(description="The largest sample of each of equal stretches, 0 to 1, in order.")


class RequestAnswer(BaseModel):
    """What was asked for: posted to ``/generate``, it makes the same songs again."""

    mode: Mode
    prompt_mode: PromptMode
    prompt: str
    tags: str
    lyrics: str
    duration: int
    top_k_bb: int
    temperature: float
    top_k_sr: int
    num_tracks: int
    seed: int = Field(description="The first track's.")

    @classmethod
    def of(cls, job: Job) -> RequestAnswer:
        return cls(**request_body(job.request, job.tracks[0].seed, num_tracks=len(job.tracks)))


class JobAnswer(BaseModel):
    """One job. ``warnings`` and everything after it are additions."""

    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    status: JobStatus
    queue_position: int = Field(description="1 is next in line; 0 when no track waits for a worker.")
    cleaned_lyrics: str
    created_at: datetime
    tracks: list[TrackAnswer]
    warnings: list[str]
    title: str
    favourite: bool
    notes: str
    finished_at: datetime | None
    starts_in_seconds: Seconds = Field(description="Null when it is not known, or has begun.")
    finishes_in_seconds: Seconds
    request: RequestAnswer
    checkpoint: str | None = Field(description="The model that made it, once a worker has begun.")

    @classmethod
    def of(cls, placed: PlacedJob) -> JobAnswer:
        job, outlook = placed.job, placed.outlook
        return cls(
            job_id=job.job_id,
            status=job.status,
            queue_position=placed.queue_position,
            cleaned_lyrics=job.request.cleaned_lyrics,
            created_at=job.created_at,
            tracks=[TrackAnswer.of(track, outlook) for track in job.tracks],
            warnings=list(job.warnings),
            title=job.title,
            favourite=job.favourite,
            notes=job.notes,
            finished_at=job.finished_at,
            starts_in_seconds=outlook.starts_in_seconds,
            finishes_in_seconds=outlook.finishes_in_seconds,
            request=RequestAnswer.of(job),
            checkpoint=job.checkpoint,
        )


class JobsAnswer(BaseModel):
    """A page of jobs, newest first."""

    jobs: Sequence[JobAnswer]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last one.")
    total: int = Field(description="How many jobs fit, on all pages together.")


class JobPatch(BaseModel):
    """What to write on a job; what is absent stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"title": "Rain on the window", "favourite": True, "notes": "Second try."}]},
    )

    title: Text | None = Field(default=None, max_length=MAX_TITLE_CHARACTERS)
    favourite: bool | None = None
    notes: Text | None = Field(default=None, max_length=MAX_NOTES_CHARACTERS)
