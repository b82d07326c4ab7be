"""A whole backend in one process: the real API, store, dispatcher and worker servers, with fake engines inside."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx
import uvicorn
from starlette.applications import Starlette

from backend.artifacts.encode import write_mp3
from backend.artifacts.song_writer import Mp3Encoder, SongWriter
from backend.artifacts.store import ArtifactStore
from backend.bootstrap import Backend, build_backend
from backend.http_server import bind
from backend.jobs.store import JobStore
from backend.jobs.track_queue import TrackQueue
from backend.settings import JobSettings, ModelSettings, PathSettings, ServerSettings, Settings
from backend.workers.app import WorkerIdentity, create_worker_app
from backend.workers.client import WorkerClient
from backend.workers.musician import Musician
from backend.workers.pool import PooledWorker, Supervisor, WorkerPool
from backend.workers.recording import Recorder
from core.engine import SongEngine

_Seen = TypeVar("_Seen")

DEADLINE_SECONDS = 20.0
FINAL = ("completed", "partial", "failed", "cancelled")


def settings_in(
    folder: Path, *, jobs: Mapping[str, Any] | None = None, server: Mapping[str, Any] | None = None
) -> Settings:
    """Settings whose every path lies inside ``folder``."""
    return Settings(
        paths=PathSettings(
            checkpoints=folder / "checkpoints",
            output_dir=folder / "audio",
            logs_dir=folder / "logs",
            frontend_dist=folder / "dist",
        ),
        jobs=JobSettings(**{"database_url": f"sqlite:///{folder / 'jobs.sqlite3'}", **(jobs or {})}),
        server=ServerSettings(**(server or {})),
    )


class _QuietServer(uvicorn.Server):
    """A server that leaves the test run's signal handlers alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """The application on a free port; yields its URL."""
    listening = bind("127.0.0.1", 0)
    server = _QuietServer(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def fake_worker(
    open_engine: Callable[[], SongEngine],
    artifacts: ArtifactStore,
    *,
    worker_id: int = 0,
    encode_mp3: Mp3Encoder = write_mp3,
    max_seconds: float | None = None,
    on_device_lost: Callable[[], None] = lambda: None,
    token: str | None = None,
) -> AsyncIterator[str]:
    """A real worker server around a fake engine; yields its URL."""
    models = ModelSettings(max_seconds=max_seconds)

    def recorder_for(engine: SongEngine) -> Recorder:
        return Recorder(
            engine,
            SongWriter(artifacts, encode_mp3=encode_mp3),
            gpu_id="cpu",
            superres_text_mode=models.superres_text_mode,
            max_seconds=max_seconds,
        )

    identity = WorkerIdentity(worker_id=worker_id, gpu_id="cpu", seed=1283 + 1000 * worker_id)
    musician = Musician(open_engine, recorder_for, on_device_lost=on_device_lost)
    async with served(create_worker_app(musician, artifacts, identity, models, token=token)) as url:
        yield url


@dataclass(frozen=True, kw_only=True)
class Studio:
    """What a test can get hold of."""

    api: httpx.AsyncClient
    backend: Backend

    @property
    def store(self) -> JobStore:
        return JobStore(self.backend.database)

    @property
    def queue(self) -> TrackQueue:
        return TrackQueue(self.backend.database)

    @property
    def pool(self) -> WorkerPool:
        return self.backend.pool

    async def submit(self, **body: Any) -> str:
        """Post a request that must be taken; the job's id."""
        answer = await self.api.post("/generate", json={"tags": "Lo-fi", "lyrics": "la la", **body})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])

    async def job(self, job_id: str) -> dict[str, Any]:
        answer = await self.api.get(f"/job/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def finished(self, job_id: str) -> dict[str, Any]:
        """The job once its status is final."""
        return await self.job_when(job_id, lambda job: job["status"] in FINAL)

    async def job_when(self, job_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The job as soon as the condition holds."""

        async def look() -> dict[str, Any] | None:
            job = await self.job(job_id)
            return job if condition(job) else None

        return await until_async(look)

    async def until_idle(self, count: int = 1) -> None:
        """Wait until so many workers are idle."""
        await until(lambda: len(self.pool.idle()) >= count)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""

    async def look() -> bool | None:
        return condition() or None

    await until_async(look)


async def until_async(look: Callable[[], Awaitable[_Seen | None]]) -> _Seen:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (seen := await look()) is None:
        assert time.monotonic() < deadline, "what was waited for never came"
        await asyncio.sleep(0.01)
    return seen


@asynccontextmanager
async def reception(
    folder: Path, *, jobs: Mapping[str, Any] | None = None, server: Mapping[str, Any] | None = None
) -> AsyncIterator[Studio]:
    """The API with its store, and nobody behind it who works; ``jobs`` and ``server`` are settings to change."""
    settings = settings_in(folder, jobs=jobs, server=server)
    backend = build_backend(settings)
    backend.database.open()
    backend.artifacts.open()
    to_app = httpx.ASGITransport(backend.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=to_app, base_url="http://studio") as api:
        yield Studio(api=api, backend=backend)
    backend.database.close()


@asynccontextmanager
async def dispatching(
    folder: Path,
    worker_urls: Sequence[str],
    *,
    silence_seconds: float = DEADLINE_SECONDS,
    supervisor: Supervisor | None = None,
    jobs: Mapping[str, Any] | None = None,
    server: Mapping[str, Any] | None = None,
) -> AsyncIterator[Studio]:
    """The dispatcher's whole side, with workers that run already; ``supervisor`` hears of those to be replaced."""
    async with reception(folder, jobs=jobs, server=server) as running, httpx.AsyncClient() as http:
        workers = [
            PooledWorker(
                worker_id, "cpu", WorkerClient(http, url, silence_seconds=silence_seconds), supervisor=supervisor
            )
            for worker_id, url in enumerate(worker_urls)
        ]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(running.pool.run, workers)
            tasks.start_soon(running.backend.dispatcher.run)
            yield running
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def studio(
    folder: Path,
    *engines: SongEngine,
    encode_mp3: Mp3Encoder = write_mp3,
    max_seconds: float | None = None,
    supervisor: Supervisor | None = None,
    jobs: Mapping[str, Any] | None = None,
) -> AsyncIterator[Studio]:
    """A backend with one worker an engine."""
    artifacts = ArtifactStore(folder / "audio")
    async with AsyncExitStack() as workers:
        urls = [
            await workers.enter_async_context(
                fake_worker(
                    lambda engine=engine: engine,  # type: ignore[misc]
                    artifacts,
                    worker_id=worker_id,
                    encode_mp3=encode_mp3,
                    max_seconds=max_seconds,
                )
            )
            for worker_id, engine in enumerate(engines)
        ]
        async with dispatching(folder, urls, supervisor=supervisor, jobs=jobs) as running:
            yield running
