"""What the API can do with jobs. Owns seeds and job ids, wakes whoever has to know of a change; not the work itself."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from backend.jobs.board import Board, PlacedJob
from backend.jobs.feed import JobFeed
from backend.jobs.housekeeping import Housekeeping
from backend.jobs.rows import now
from backend.jobs.store import IdempotencyKey, JobCounts, JobFilter, JobPage, JobStore
from core.job import Job, Track
from core.request import MAX_SEED, GenerationRequest, track_seeds

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """What is asked for. ``client`` is whoever asks; without a ``seed`` one is drawn."""

    request: GenerationRequest
    num_tracks: int
    seed: int | None = None
    title: str = ""
    warnings: Sequence[str] = ()
    client: str = ""

    def fingerprint(self) -> str:
        """The same for the same request, and for no other."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class PlacedPage:
    """A page of jobs, each with its place in the queue."""

    jobs: Sequence[PlacedJob]
    next_before: int | None
    total: int


class JobService:
    """Takes requests in, answers for them, and changes what may be changed."""

    def __init__(
        self,
        store: JobStore,
        feed: JobFeed,
        housekeeping: Housekeeping,
        board: Board,
        *,
        on_submit: Callable[[], None],
    ) -> None:
        self.feed = feed
        self._store = store
        self._housekeeping = housekeeping
        self._board = board
        self._on_submit = on_submit

    async def submit(self, new: NewJob, *, idempotency_key: str | None = None) -> PlacedJob:
        """Keep a new job; every track's seed is fixed here, so that the song can be made again.

        With an ``idempotency_key`` that this client used before: the job of that time. Refusal when it cannot be taken.
        """
        seeds = track_seeds(secrets.randbelow(MAX_SEED + 1) if new.seed is None else new.seed, new.num_tracks)
        job = Job(
            job_id=uuid.uuid4().hex,
            request=new.request,
            created_at=now(),
            tracks=tuple(Track(index=index, seed=seed) for index, seed in enumerate(seeds)),
            warnings=tuple(new.warnings),
            title=new.title,
            client=new.client,
        )
        key = IdempotencyKey(key=idempotency_key, fingerprint=new.fingerprint()) if idempotency_key else None
        kept = await asyncio.to_thread(self._store.add, job, idempotency=key)
        if kept is job:
            logger.info(
                "job %s submitted: %d tracks of %d min", job.job_id, new.num_tracks, job.request.duration_minutes
            )
        self.feed.changed(kept.job_id)
        try:
            return await self._place(kept)
        finally:
            # Afterwards, so that the place is told that it had at first; whatever happens, for the job is kept.
            self._on_submit()

    async def find(self, job_id: str, *, with_all_news: bool = False) -> PlacedJob | None:
        """The job, None if there is none; ``with_all_news`` as for the board."""
        placed = await self._board.find(job_id, with_all_news=with_all_news)
        return placed or await self._placed(await asyncio.to_thread(self._store.find, job_id))

    async def stored(self, job_id: str) -> Job | None:
        """The job as the store has it this moment, without its place; for what has to do with ended ones."""
        return await asyncio.to_thread(self._store.find, job_id)

    async def page(self, wanted: JobFilter, *, limit: int, before: int | None) -> PlacedPage:
        """At most ``limit`` jobs, newest first, from the one ``before`` back in time."""
        page: JobPage = await asyncio.to_thread(self._store.page, wanted, limit=limit, before=before)
        jobs = [await self._place(job) for job in page.jobs]
        return PlacedPage(jobs=jobs, next_before=page.next_before, total=page.total)

    async def edit(
        self, job_id: str, *, title: str | None, favourite: bool | None, notes: str | None
    ) -> PlacedJob | None:
        """Write on a job what is not None."""
        change = asyncio.to_thread(self._store.edit, job_id, title=title, favourite=favourite, notes=notes)
        return await self._placed(await change, changed=True)

    async def cancel(self, job_id: str) -> PlacedJob | None:
        """Stop what is queued, wish that what runs be stopped."""
        return await self._placed(await asyncio.to_thread(self._store.cancel, job_id), changed=True)

    async def retry(self, job_id: str) -> PlacedJob | None:
        """Queue what failed or was cancelled again."""
        placed = await self._placed(await asyncio.to_thread(self._store.retry, job_id), changed=True)
        self._on_submit()
        return placed

    async def remove(self, job_id: str) -> bool:
        """Forget an ended job and its files; whether there was one."""
        removed = await asyncio.to_thread(self._store.remove, job_id)
        await self._housekeeping.remove_discarded()
        self.feed.changed(job_id)
        return removed

    async def counts(self) -> JobCounts:
        return await asyncio.to_thread(self._store.counts)

    async def _placed(self, job: Job | None, *, changed: bool = False) -> PlacedJob | None:
        if job is None:
            return None
        if changed:
            self.feed.changed(job.job_id)
        return await self._place(job)

    async def _place(self, job: Job) -> PlacedJob:
        # Most jobs of a list have ended: they have no place, and nothing is to be expected of them.
        placed = None if job.status.is_final else await self._board.find(job.job_id, with_all_news=True)
        return placed or PlacedJob(job=job)
