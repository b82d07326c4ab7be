"""Which workers there are, how each is, and who has booked it. Leases live in memory and are rebuilt at start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

import anyio

from backend.workers.client import WorkerClient, WorkerLost
from backend.workers.devices import GpuId
from backend.workers.messages import Health
from core.engine import EngineDescription
from core.progress import Phase

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.5


class WorkerStatus(str, Enum):
    """What the API says of a worker (contract section 7)."""

    OFFLINE = "offline"
    IDLE = "idle"
    BUSY = "busy"


class Supervisor(Protocol):
    """Who keeps the worker processes running."""

    def trouble(self, worker_id: int) -> str | None:
        """What is known of a worker that does not answer."""
        ...

    def is_ours(self, worker_id: int, pid: int) -> bool:
        """Whether the worker that answers is the process that was started, not a stranger on its port."""
        ...

    async def exit_code(self, worker_id: int, pid: int) -> int | None:
        """How this process ended, if it has or is about to."""
        ...

    async def replace(self, worker_id: int, pid: int, *, at_once: bool) -> None:
        """End this process by force and start another, ``at_once`` or after a wait that grows with every time."""
        ...


class PooledWorker:
    """One worker as the dispatcher sees it. Without a supervisor, nobody knows of its process."""

    def __init__(
        self,
        worker_id: int,
        gpu_id: GpuId,
        client: WorkerClient,
        *,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.worker_id = worker_id
        self.gpu_id = gpu_id
        self.client = client
        self.health: Health | None = None
        self._supervisor = supervisor
        self._leased = False
        self._leased_pid: int | None = None

    @property
    def status(self) -> WorkerStatus:
        """A booked worker is busy whatever its health says; one that loads its models is busy with that."""
        if self._leased:
            return WorkerStatus.BUSY
        if self.health is None or self.health.status == "error":
            return WorkerStatus.OFFLINE
        return WorkerStatus.IDLE if self.health.status == "idle" else WorkerStatus.BUSY

    @property
    def phase(self) -> Phase:
        return self.health.phase if self.health else Phase.IDLE

    @property
    def engine(self) -> EngineDescription | None:
        """What it has loaded, once it has."""
        return self.health.engine if self.health else None

    @property
    def error(self) -> str | None:
        if self.health:
            return self.health.error
        return self._supervisor.trouble(self.worker_id) if self._supervisor else None

    def lease(self, pid: int | None) -> None:
        """Book it, or rather this process of it: another may have come since work was looked for."""
        if self._leased:
            raise RuntimeError(f"worker {self.worker_id} is booked already")
        self._leased = True
        self._leased_pid = pid

    def release(self) -> None:
        self._leased = False

    async def refresh(self) -> None:
        """Ask how it is; a stranger on its port counts as nobody."""
        try:
            health: Health | None = await self.client.health()
        except WorkerLost:
            health = None
        if health and self._supervisor and not self._supervisor.is_ours(self.worker_id, health.pid):
            health = None
        then, now = (known.status if known else "offline" for known in (self.health, health))
        self.health = health
        if then != now:
            logger.info("worker %d on %s was %s and is %s %s", self.worker_id, self.gpu_id, then, now, self.error or "")

    async def exit_code(self) -> int | None:
        """How the process that was booked ended, if it has."""
        if self._supervisor is None or self._leased_pid is None:
            return None
        return await self._supervisor.exit_code(self.worker_id, self._leased_pid)

    async def replace(self, *, at_once: bool) -> None:
        """Have the process that was booked ended by force and another started, unless that has happened already."""
        if self._supervisor is not None and self._leased_pid is not None:
            await self._supervisor.replace(self.worker_id, self._leased_pid, at_once=at_once)


class WorkerPool:
    """All workers."""

    def __init__(self, *, on_idle: Callable[[], None]) -> None:
        self.workers: Sequence[PooledWorker] = ()
        self.closed = False
        self.held_up: str | None = None
        """Why nothing is handed out though workers are idle."""
        self._on_idle = on_idle

    def idle(self) -> list[PooledWorker]:
        """Workers that could begin now."""
        return [] if self.closed else [worker for worker in self.workers if worker.status is WorkerStatus.IDLE]

    def close(self) -> None:
        """No worker is to begin anything any more."""
        self.closed = True

    def obstacle(self) -> str | None:
        """Why nothing new can be begun, not even when a worker is done with what it does; None if something can."""
        if self.closed:
            return "Khala is being stopped."
        if not self.workers:
            return "The workers are still being started."
        if failure := self.failure():
            return failure
        return None if any(worker.engine for worker in self.workers) else "The workers are still loading their models."

    def failure(self) -> str | None:
        """What is wrong where no worker can take work; None while one can, or will by itself."""
        if self.held_up:
            return self.held_up
        if any(worker.engine for worker in self.workers):
            return None
        return next((worker.error for worker in self.workers if worker.error), None)

    def has_others(self, worker: PooledWorker) -> bool:
        """Whether another worker could take work, now or when it is done with what it does."""
        return any(other.engine for other in self.workers if other is not worker)

    async def run(self, workers: Sequence[PooledWorker]) -> None:
        """Take these workers in and ask each how it is, again and again.

        ``on_idle`` hears when one could begin, and when one is gone in whose favour another was passed over.
        """
        self.workers = workers
        async with anyio.create_task_group() as polls:
            for worker in workers:
                polls.start_soon(self._poll, worker)

    async def release(self, worker: PooledWorker) -> None:
        """End a lease. The worker is asked first, so that one still busy with lost work is not booked again."""
        await worker.refresh()
        worker.release()
        if worker.status is WorkerStatus.IDLE:
            self._on_idle()

    async def _poll(self, worker: PooledWorker) -> None:
        while True:
            before, had_engine = worker.status, worker.engine is not None
            await worker.refresh()
            begins = worker.status is WorkerStatus.IDLE and before is not WorkerStatus.IDLE
            if begins or (had_engine and worker.engine is None):
                self._on_idle()
            await asyncio.sleep(_POLL_SECONDS)
