"""The dispatcher's wiring: the one file that chooses its parts and puts them together. Building touches no disk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import httpx
from fastapi import FastAPI

from backend.api.app import create_app
from backend.api.collaborators import Collaborators
from backend.api.keys import ApiKeys
from backend.artifacts.store import ArtifactStore
from backend.http_server import url_of
from backend.jobs.board import Board
from backend.jobs.database import Database
from backend.jobs.dispatcher import Dispatcher
from backend.jobs.feed import JobFeed
from backend.jobs.housekeeping import Housekeeping
from backend.jobs.one_dispatcher import OneDispatcher
from backend.jobs.service import JobService
from backend.jobs.store import JobStore
from backend.jobs.track_queue import TrackQueue
from backend.metrics import Metrics
from backend.settings import Settings
from backend.workers.client import WorkerClient
from backend.workers.devices import GpuId, shared_out, visible_gpus
from backend.workers.pool import PooledWorker, WorkerPool
from backend.workers.processes import WorkerProcesses, WorkerSpec


@dataclass(frozen=True, kw_only=True)
class Backend:
    """The dispatcher process: an application, and the work behind it."""

    settings: Settings
    app: FastAPI
    database: Database
    artifacts: ArtifactStore
    housekeeping: Housekeeping
    feed: JobFeed
    pool: WorkerPool
    dispatcher: Dispatcher
    processes: WorkerProcesses
    http: httpx.AsyncClient

    @asynccontextmanager
    async def running(self, find_devices: Callable[[], Sequence[GpuId]]) -> AsyncIterator[None]:
        """Open the stores, start one worker a device, dispatch; on leaving, stop all.

        SecondDispatcher when there is another. A part that breaks ends the block."""
        right = OneDispatcher(self.database)
        await asyncio.to_thread(right.acquire)
        try:
            await asyncio.to_thread(self.database.open)
            await asyncio.to_thread(self.artifacts.open)
            async with self.http, anyio.create_task_group() as tasks:
                tasks.start_soon(right.keep)
                tasks.start_soon(self.dispatcher.run)
                tasks.start_soon(self.housekeeping.run)
                tasks.start_soon(self._run_workers, find_devices)
                yield
                tasks.cancel_scope.cancel()
            # The workers are gone; what they were at is for the next start, and the store should say so.
            await self.dispatcher.requeue()
        finally:
            await asyncio.to_thread(right.release)
            await asyncio.to_thread(self.database.close)

    async def drain(self) -> None:
        """Hand out nothing more, wait a while for songs at work, then send away whoever follows a job."""
        await self.dispatcher.drain(grace_seconds=self.settings.jobs.shutdown_grace_seconds)
        self.feed.close()

    async def _run_workers(self, find_devices: Callable[[], Sequence[GpuId]]) -> None:
        # In a thread and beside everything else, because asking the GPU driver can take seconds.
        gpus = await asyncio.to_thread(find_devices)
        shares = shared_out(gpus, self.settings.models.gpus_per_worker)
        specs = [_worker_spec(self.settings, worker_id, share) for worker_id, share in enumerate(shares)]
        server = self.settings.server
        workers = [
            PooledWorker(
                spec.worker_id,
                spec.gpu_id,
                WorkerClient(
                    self.http,
                    url_of(server.worker_host, spec.port),
                    silence_seconds=self.settings.jobs.worker_silence_seconds,
                    token=server.worker_token,
                ),
                supervisor=self.processes,
            )
            for spec in specs
        ]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.processes.run, specs)
            tasks.start_soon(self.pool.run, workers)


def build_backend(settings: Settings) -> Backend:
    """The dispatcher; nothing runs and nothing is written before ``running``."""
    jobs = settings.jobs
    database = Database(jobs.database_url)
    artifacts = ArtifactStore(settings.paths.output_dir)
    housekeeping = Housekeeping(database, artifacts, jobs)
    queue = TrackQueue(database, max_attempts=jobs.max_attempts)
    work = asyncio.Event()
    feed, metrics, pool = JobFeed(), Metrics(), WorkerPool(on_idle=work.set)
    store = JobStore(database, max_queued=jobs.max_queued, check_room=housekeeping.check_room)
    service = JobService(store, feed, housekeeping, Board(database, pool, feed), on_submit=work.set)
    keys = ApiKeys(settings.server.api_keys)
    collaborators = Collaborators(
        settings=settings, service=service, pool=pool, artifacts=artifacts, keys=keys, metrics=metrics
    )
    return Backend(
        settings=settings,
        app=create_app(collaborators),
        database=database,
        artifacts=artifacts,
        housekeeping=housekeeping,
        feed=feed,
        pool=pool,
        dispatcher=Dispatcher(
            queue, pool, artifacts, housekeeping, feed, metrics, work, stall_seconds=jobs.worker_stall_seconds
        ),
        processes=WorkerProcesses(
            first_delay_seconds=jobs.worker_restart_seconds, longest_delay_seconds=jobs.worker_restart_longest_seconds
        ),
        # Workers are on this machine: a proxy from the environment must not come between.
        http=httpx.AsyncClient(trust_env=False),
    )


def _worker_spec(settings: Settings, worker_id: int, devices: Sequence[GpuId]) -> WorkerSpec:
    port = settings.server.worker_base_port + worker_id
    mode = settings.models.runtime_mode.value
    gpu, visible = devices[0], os.environ.get("CUDA_VISIBLE_DEVICES")
    return WorkerSpec(
        worker_id=worker_id,
        gpu_id=gpu,
        port=port,
        arguments=("--worker-id", str(worker_id), "--gpu", str(gpu), "--port", str(port), "--runtime-mode", mode),
        environment={
            # A worker sees its own GPUs and no other, numbered as nvidia-smi numbers them.
            "CUDA_DEVICE_ORDER": os.environ.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
            "CUDA_VISIBLE_DEVICES": ",".join(visible_gpus(devices, visible)),
            "MASTER_PORT": str(settings.server.base_master_port + worker_id),
        },
        log_file=settings.paths.logs_dir / f"worker_{worker_id}.log",
    )
