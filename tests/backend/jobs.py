"""Jobs for tests of the store."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

from backend.artifacts.store import TrackFiles
from backend.jobs.database import Database
from backend.jobs.store import IdempotencyKey, JobStore
from backend.jobs.track_queue import Claim, TrackQueue
from core.job import Job, Track
from core.progress import Phase, Progress
from core.request import GenerationRequest, Mode, PromptMode, SamplingOptions

REQUEST = GenerationRequest(
    mode=Mode.INSTRUMENTAL,
    prompt_mode=PromptMode.NATURAL,
    prompt="a calm 夜 \U0001f319",
    sampling=SamplingOptions(temperature=0.7),
)
_NEW_WORKERS = itertools.count(100)
FILES = TrackFiles(duration_seconds=1.5, wav_file="a.wav", mp3_file="a.mp3", metadata_file="a.json")


def new_job(job_id: str = "job", *, tracks: int = 2, request: GenerationRequest = REQUEST, **fields: Any) -> Job:
    return Job(
        job_id=job_id,
        request=request,
        created_at=datetime(2026, 11, 21, 12, tzinfo=timezone(timedelta(hours=9))),
        tracks=tuple(Track(index=index, seed=2**32 - 1 - index) for index in range(tracks)),
        warnings=("odd",),
        **fields,
    )


def add(
    database: Database,
    job_id: str = "job",
    *,
    tracks: int = 2,
    idempotency: IdempotencyKey | None = None,
    max_queued: int | None = None,
    **fields: Any,
) -> Job:
    """Keep a new job."""
    job = new_job(job_id, tracks=tracks, **fields)
    return JobStore(database, max_queued=max_queued).add(job, idempotency=idempotency)


def found(database: Database, job_id: str = "job") -> Job:
    job = JobStore(database).find(job_id)
    assert job is not None
    return job


def claim(database: Database, worker_id: int | None = None, **options: Any) -> Claim:
    """A claim that must not be empty, for a worker that has nothing to do yet unless one is named."""
    claimed = TrackQueue(database).claim(next(_NEW_WORKERS) if worker_id is None else worker_id, **options)
    assert claimed is not None
    return claimed


def walk_to_decoding(database: Database, file_id: str) -> None:
    for phase in (Phase.BACKBONE, Phase.SUPERRES, Phase.DECODING):
        TrackQueue(database).record_progress(file_id, Progress(phase=phase))


def finish(database: Database, file_id: str, files: TrackFiles = FILES) -> None:
    """Take a claimed track through every phase to its end."""
    walk_to_decoding(database, file_id)
    TrackQueue(database).finish(file_id, files, pace={"backbone": 1.0})
