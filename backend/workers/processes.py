"""Worker processes: starts them, starts again those that end, ends those of no more use, leaves none behind."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import anyio
from anyio.abc import Process

from backend.settings import PROJECT_ROOT
from backend.workers.devices import GpuId

logger = logging.getLogger(__name__)

_STEADY_SECONDS = 60.0
_GRACE_SECONDS = 10.0
_DYING_SECONDS = 1.0
"""A process whose connection broke may take so long to be seen as ended."""


@dataclass(frozen=True, kw_only=True)
class WorkerSpec:
    """One worker process: ``python -m backend worker`` with these arguments and additions to the environment."""

    worker_id: int
    gpu_id: GpuId
    port: int
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log_file: Path


@dataclass
class _Life:
    """One process of a worker, from its start until the next one's."""

    pid: int
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    code: int | None = None
    replaced: bool = False
    at_once: bool = False


class WorkerProcesses:
    """Keeps one process a spec running.

    One that ended is started again after ``first_delay_seconds``, twice as long every time up to the longest.
    """

    def __init__(self, *, first_delay_seconds: float, longest_delay_seconds: float) -> None:
        self._first_delay_seconds = first_delay_seconds
        self._longest_delay_seconds = longest_delay_seconds
        self._lives: dict[int, _Life] = {}
        self._troubles: dict[int, str] = {}

    def is_ours(self, worker_id: int, pid: int) -> bool:
        """Whether the worker that answers is the process we started, not a stranger on its port."""
        return self._life(worker_id, pid) is not None

    def trouble(self, worker_id: int) -> str | None:
        """What to say of a worker that does not answer: how its process ended last, if it did."""
        return self._troubles.get(worker_id)

    async def exit_code(self, worker_id: int, pid: int) -> int | None:
        """How this process ended, None while it goes on or when another has taken its place."""
        life = self._life(worker_id, pid)
        if life is None:
            return None
        with anyio.move_on_after(_DYING_SECONDS):
            await life.ended.wait()
        return life.code

    async def replace(self, worker_id: int, pid: int, *, at_once: bool) -> None:
        """End this process by force, with all that it started; another follows ``at_once`` or after a growing wait."""
        life = self._life(worker_id, pid)
        if life is None or life.ended.is_set():
            return
        logger.warning("worker %d (pid %d) is of no more use and is replaced", worker_id, pid)
        life.replaced, life.at_once = True, at_once
        _kill(pid)
        await life.ended.wait()

    async def run(self, specs: Sequence[WorkerSpec]) -> None:
        """Keep the processes running until cancelled; then stop them all and wait for that."""
        async with anyio.create_task_group() as keepers:
            for spec in specs:
                keepers.start_soon(self._keep_running, spec)

    def _life(self, worker_id: int, pid: int) -> _Life | None:
        life = self._lives.get(worker_id)
        return life if life and life.pid == pid else None

    async def _keep_running(self, spec: WorkerSpec) -> None:
        delay = self._first_delay_seconds
        while True:
            began = time.monotonic()
            life = await self._run_once(spec)
            if life.at_once:
                # It was healthy, so what was wrong before it began says nothing any more.
                self._troubles.pop(spec.worker_id, None)
                continue
            if time.monotonic() - began > _STEADY_SECONDS:
                delay = self._first_delay_seconds
            how = "was ended because it was of no more use" if life.replaced else f"ended with code {life.code}"
            logger.error("worker %d %s; starting it again in %g s", spec.worker_id, how, delay)
            self._troubles[spec.worker_id] = (
                f"The worker's process {how} at {datetime.now():%H:%M:%S}; {spec.log_file} says why. "
                "It is started again by itself."
            )
            await asyncio.sleep(delay)
            delay = min(2 * delay, self._longest_delay_seconds)

    async def _run_once(self, spec: WorkerSpec) -> _Life:
        process = await _start(spec)
        self._lives[spec.worker_id] = life = _Life(process.pid)
        logger.info("worker %d started on %s: pid %d, port %d", spec.worker_id, spec.gpu_id, process.pid, spec.port)
        try:
            life.code = await process.wait()
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    await _stop(process)
                    logger.info("worker %d stopped", spec.worker_id)
                # What the worker had started, an encoder perhaps, goes with it.
                _kill(process.pid)
                await process.aclose()
            life.ended.set()
        return life


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


def _kill(session: int) -> None:
    """End a worker's whole process group, which has the number of its first process."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
