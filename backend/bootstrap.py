"""The dispatcher's wiring: the one file that chooses its parts and puts them together. Building touches no disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import httpx
from fastapi import FastAPI

from backend.api.app import create_app
from backend.api.collaborators import Collaborators
from backend.artifacts.store import ArtifactStore
from backend.jobs.dispatcher import Dispatcher
from backend.jobs.service import JobService
from backend.jobs.store import JobStore
from backend.settings import Settings
from backend.workers.client import WorkerClient
from backend.workers.devices import GpuId
from backend.workers.pool import PooledWorker, WorkerPool
from backend.workers.processes import WorkerProcesses, WorkerSpec


@dataclass(frozen=True, kw_only=True)
class Backend:
    """The dispatcher process: an application, and the work behind it."""

    settings: Settings
    app: FastAPI
    store: JobStore
    artifacts: ArtifactStore
    pool: WorkerPool
    dispatcher: Dispatcher
    processes: WorkerProcesses
    http: httpx.AsyncClient

    @asynccontextmanager
    async def running(self, find_devices: Callable[[], Sequence[GpuId]]) -> AsyncIterator[None]:
        """Open the stores, start one worker a device, dispatch; on leaving, stop all.

        A part that breaks ends the block."""
        await asyncio.to_thread(self.store.open)
        await asyncio.to_thread(self.artifacts.open)
        await asyncio.to_thread(self.artifacts.sweep)
        try:
            async with self.http, anyio.create_task_group() as tasks:
                tasks.start_soon(self.dispatcher.run)
                tasks.start_soon(self._run_workers, find_devices)
                yield
                tasks.cancel_scope.cancel()
        finally:
            await asyncio.to_thread(self.store.close)

    async def _run_workers(self, find_devices: Callable[[], Sequence[GpuId]]) -> None:
        # In a thread and beside everything else, because asking the GPU driver can take seconds.
        gpus = await asyncio.to_thread(find_devices)
        specs = [_worker_spec(self.settings, worker_id, gpu) for worker_id, gpu in enumerate(gpus)]
        silence = self.settings.jobs.worker_silence_seconds
        workers = [
            PooledWorker(
                spec.worker_id,
                spec.gpu_id,
                WorkerClient(self.http, f"http://127.0.0.1:{spec.port}", silence_seconds=silence),
                trouble=self.processes.trouble,
            )
            for spec in specs
        ]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.processes.run, specs)
            tasks.start_soon(self.pool.run, workers)


def build_backend(settings: Settings) -> Backend:
    """The dispatcher; nothing runs and nothing is written before ``running``."""
    store = JobStore(settings.jobs.database_url, max_attempts=settings.jobs.max_attempts)
    artifacts = ArtifactStore(settings.paths.output_dir)
    work = asyncio.Event()
    processes = WorkerProcesses()
    pool = WorkerPool(on_idle=work.set, is_ours=processes.is_ours)
    service = JobService(store, on_submit=work.set)
    return Backend(
        settings=settings,
        app=create_app(Collaborators(settings=settings, service=service, pool=pool, artifacts=artifacts)),
        store=store,
        artifacts=artifacts,
        pool=pool,
        dispatcher=Dispatcher(store, pool, artifacts, work),
        processes=processes,
        # Workers are on this machine: a proxy from the environment must not come between.
        http=httpx.AsyncClient(trust_env=False),
    )


def _worker_spec(settings: Settings, worker_id: int, gpu: GpuId) -> WorkerSpec:
    port = settings.server.worker_base_port + worker_id
    mode = settings.models.runtime_mode.value
    return WorkerSpec(
        worker_id=worker_id,
        gpu_id=gpu,
        port=port,
        arguments=("--worker-id", str(worker_id), "--gpu", str(gpu), "--port", str(port), "--runtime-mode", mode),
        environment={
            # A worker sees its own GPU and no other.
            "CUDA_VISIBLE_DEVICES": str(gpu) if isinstance(gpu, int) else "",
            "MASTER_PORT": str(settings.server.base_master_port + worker_id),
        },
        log_file=settings.paths.logs_dir / f"worker_{worker_id}.log",
    )
