"""The worker's HTTP server: /health, /config, /generate, /download/{filename} (contract section 7)."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import anyio
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from backend.artifacts.store import ArtifactStore
from backend.settings import ModelSettings
from backend.workers.batch_watch import BatchWatch
from backend.workers.devices import GpuId
from backend.workers.messages import (
    REFUSES_STRANGERS,
    CancelOrder,
    Event,
    GenerateTask,
    Health,
    HeartbeatEvent,
    WorkerConfig,
)
from backend.workers.musician import Musician
from core.errors import ArtifactError

HEARTBEAT_SECONDS = 15.0
"""A stream of events is never silent for longer than this."""


@dataclass(frozen=True, kw_only=True)
class WorkerIdentity:
    """Which worker this is, and on what it computes."""

    worker_id: int
    gpu_id: GpuId
    seed: int


def create_worker_app(
    musician: Musician,
    artifacts: ArtifactStore,
    identity: WorkerIdentity,
    models: ModelSettings,
    *,
    token: str | None = None,
) -> FastAPI:
    """The worker's application; its lifespan opens and closes the musician. Only who has the ``token`` is let in."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        musician.start()
        yield
        await asyncio.to_thread(musician.stop)

    async def check_token(authorization: Annotated[str, Header()] = "") -> None:
        if token and not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, REFUSES_STRANGERS)

    app = FastAPI(
        title="Khala worker",
        lifespan=lifespan,
        dependencies=[Depends(check_token)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )

    @app.get("/health")
    async def health() -> Health:
        progress = musician.progress
        return Health(
            status=musician.status,
            phase=progress.phase,
            progress=progress.percent,
            progress_detail=progress.display,
            worker_id=identity.worker_id,
            gpu_id=identity.gpu_id,
            seed=identity.seed,
            runtime_mode=models.runtime_mode,
            pid=os.getpid(),
            job_id=musician.job_id,
            engine=musician.engine,
            error=musician.error,
        )

    @app.get("/config")
    async def config() -> WorkerConfig:
        return WorkerConfig(
            worker_id=identity.worker_id,
            gpu_id=identity.gpu_id,
            runtime_mode=models.runtime_mode,
            superres_text_mode=models.superres_text_mode,
            max_seconds=models.max_seconds,
            untrained=musician.engine is not None and not musician.engine.trained,
            engine=musician.engine,
        )

    @app.post("/generate")
    async def generate(task: GenerateTask) -> StreamingResponse:
        if musician.status != "idle":
            raise HTTPException(409, "This worker is not idle.")
        # Begun before the answer is, so that of two who ask at once the second still gets its 409.
        return _begin(musician, task)

    @app.post("/cancel", status_code=204)
    async def cancel(order: CancelOrder) -> None:
        musician.cancel(order)

    @app.get("/download/{filename}")
    async def download(filename: str) -> FileResponse:
        try:
            return FileResponse(artifacts.find(filename), filename=filename)
        except ArtifactError as error:
            raise HTTPException(404, str(error)) from error

    return app


class _BatchAnswer(StreamingResponse):
    """Events of a batch, one a line. Whoever stops listening stops the work, even before the first line."""

    def __init__(self, lines: AsyncIterator[str], watch: BatchWatch) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._watch.stop()


def _begin(musician: Musician, task: GenerateTask) -> _BatchAnswer:
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[Event | None] = asyncio.Queue()

    def emit(event: Event | None) -> None:
        loop.call_soon_threadsafe(events.put_nowait, event)

    watch, done = musician.begin(task, emit)
    done.add_done_callback(lambda _: emit(None))
    return _BatchAnswer(_lines(events), watch)


async def _lines(events: asyncio.Queue[Event | None]) -> AsyncIterator[str]:
    # A stage may be silent for long, so this loop gives a sign of life: only a worker that is dead, or whose event loop
    # hangs, says nothing. A model thread that hangs makes no progress, which the dispatcher watches apart from this.
    while True:
        event: Event | HeartbeatEvent | None = HeartbeatEvent()
        with anyio.move_on_after(HEARTBEAT_SECONDS):
            event = await events.get()
        if event is None:
            return
        # ASCII, because a line must not end at the exotic line breaks that text may hold.
        yield event.model_dump_json(ensure_ascii=True) + "\n"
