"""What the API can do with jobs: take a request, answer for it. Owns seeds and job ids, not the work."""

from __future__ import annotations

import asyncio
import logging
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from backend.jobs.store import JobCounts, JobStore
from core.job import Job, Track
from core.request import MAX_SEED, GenerationRequest, track_seeds

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PlacedJob:
    """A job and its place in the queue; 0 when it waits for nothing."""

    job: Job
    queue_position: int


class JobService:
    """Takes requests in and answers for them."""

    def __init__(self, store: JobStore, *, on_submit: Callable[[], None]) -> None:
        self._store = store
        self._on_submit = on_submit

    async def submit(
        self, request: GenerationRequest, *, num_tracks: int, seed: int | None, warnings: Sequence[str]
    ) -> PlacedJob:
        """Keep a new job; every track's seed is fixed here, so that the song can be made again."""
        seeds = track_seeds(secrets.randbelow(MAX_SEED + 1) if seed is None else seed, num_tracks)
        job = Job(
            job_id=uuid.uuid4().hex,
            request=request,
            created_at=datetime.now(timezone.utc),
            tracks=tuple(Track(index=index, seed=seed) for index, seed in enumerate(seeds)),
            warnings=tuple(warnings),
        )
        await asyncio.to_thread(self._store.add, job)
        logger.info("job %s submitted: %d tracks of %d min", job.job_id, num_tracks, request.duration_minutes)
        placed = PlacedJob(job=job, queue_position=await asyncio.to_thread(self._store.queue_position, job.job_id))
        self._on_submit()
        return placed

    async def find(self, job_id: str) -> PlacedJob | None:
        def look() -> PlacedJob | None:
            job = self._store.find(job_id)
            return PlacedJob(job=job, queue_position=self._store.queue_position(job_id)) if job else None

        return await asyncio.to_thread(look)

    async def counts(self) -> JobCounts:
        return await asyncio.to_thread(self._store.counts)
