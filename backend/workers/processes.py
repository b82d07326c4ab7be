"""Worker processes: starts them, starts again those that die, stops them, and leaves none behind."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio
from anyio.abc import Process

from backend.settings import PROJECT_ROOT
from backend.workers.devices import GpuId

logger = logging.getLogger(__name__)

_FIRST_DELAY_SECONDS = 1.0
_LONGEST_DELAY_SECONDS = 30.0
_STEADY_SECONDS = 60.0
_GRACE_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class WorkerSpec:
    """One worker process: ``python -m backend worker`` with these arguments and additions to the environment."""

    worker_id: int
    gpu_id: GpuId
    port: int
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path


class WorkerProcesses:
    """Keeps one process a spec running."""

    def __init__(self) -> None:
        self._pids: dict[int, int] = {}
        self._troubles: dict[int, str] = {}

    def is_ours(self, worker_id: int, pid: int) -> bool:
        """Whether the worker that answers is the process we started, not a stranger on its port."""
        return self._pids.get(worker_id) == pid

    def trouble(self, worker_id: int) -> str | None:
        """What to say of a worker that does not answer: how its process ended last, if it did."""
        return self._troubles.get(worker_id)

    async def run(self, specs: Sequence[WorkerSpec]) -> None:
        """Keep the processes running until cancelled; then stop them all and wait for that."""
        async with anyio.create_task_group() as keepers:
            for spec in specs:
                keepers.start_soon(self._keep_running, spec)

    async def _keep_running(self, spec: WorkerSpec) -> None:
        delay = _FIRST_DELAY_SECONDS
        while True:
            began = time.monotonic()
            code = await self._run_once(spec)
            if time.monotonic() - began > _STEADY_SECONDS:
                delay = _FIRST_DELAY_SECONDS
            logger.error("worker %d ended with code %s; starting it again in %g s", spec.worker_id, code, delay)
            self._troubles[spec.worker_id] = (
                f"The worker's process ended at {datetime.now():%H:%M:%S} with code {code}; {spec.log_file} says why. "
                "It is started again by itself."
            )
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY_SECONDS)

    async def _run_once(self, spec: WorkerSpec) -> int:
        process = await _start(spec)
        self._pids[spec.worker_id] = process.pid
        logger.info("worker %d started on %s: pid %d, port %d", spec.worker_id, spec.gpu_id, process.pid, spec.port)
        try:
            return await process.wait()
        finally:
            del self._pids[spec.worker_id]
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    await _stop(process)
                    logger.info("worker %d stopped", spec.worker_id)
                await process.aclose()


async def _start(spec: WorkerSpec) -> Process:
    spec.log_file.parent.mkdir(parents=True, exist_ok=True)
    with spec.log_file.open("ab") as log:
        return await anyio.open_process(
            [sys.executable, "-m", "backend", "worker", "--lifeline", *spec.arguments],
            # The worker ends when this pipe closes, and the kernel closes it however this process ends.
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=PROJECT_ROOT,
            env={**os.environ, **spec.environment},
            # Its own session, so that Ctrl-C reaches the dispatcher alone, which then stops its workers in order.
            start_new_session=True,
        )


async def _stop(process: Process) -> None:
    process.terminate()
    with anyio.move_on_after(_GRACE_SECONDS):
        await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
