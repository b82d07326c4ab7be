"""Which workers there are, how each is, and who has booked it. Leases live in memory and are rebuilt at start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from enum import Enum

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


class PooledWorker:
    """One worker as the dispatcher sees it. ``trouble`` says what is known of one that does not answer."""

    def __init__(
        self,
        worker_id: int,
        gpu_id: GpuId,
        client: WorkerClient,
        *,
        trouble: Callable[[int], str | None] = lambda worker_id: None,
    ) -> None:
        self.worker_id = worker_id
        self.gpu_id = gpu_id
        self.client = client
        self.health: Health | None = None
        self._trouble = trouble
        self._leased = False

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
        return self.health.error if self.health else self._trouble(self.worker_id)

    def lease(self) -> None:
        if self.status is not WorkerStatus.IDLE:
            raise RuntimeError(f"worker {self.worker_id} is {self.status.value} and cannot be booked")
        self._leased = True

    def release(self) -> None:
        self._leased = False


class WorkerPool:
    """All workers. ``is_ours(worker_id, pid)`` tells a worker of ours from a stranger on its port."""

    def __init__(
        self,
        *,
        on_idle: Callable[[], None],
        is_ours: Callable[[int, int], bool] = lambda worker_id, pid: True,
    ) -> None:
        self.workers: Sequence[PooledWorker] = ()
        self._on_idle = on_idle
        self._is_ours = is_ours

    def idle(self) -> list[PooledWorker]:
        """Workers that could begin now."""
        return [worker for worker in self.workers if worker.status is WorkerStatus.IDLE]

    async def run(self, workers: Sequence[PooledWorker]) -> None:
        """Take these workers in and ask each how it is, again and again; ``on_idle`` hears when one could begin."""
        self.workers = workers
        async with anyio.create_task_group() as polls:
            for worker in workers:
                polls.start_soon(self._poll, worker)

    async def release(self, worker: PooledWorker) -> None:
        """End a lease. The worker is asked first, so that one still busy with lost work is not booked again."""
        await self._refresh(worker)
        worker.release()
        if worker.status is WorkerStatus.IDLE:
            self._on_idle()

    async def _poll(self, worker: PooledWorker) -> None:
        while True:
            before = worker.status
            await self._refresh(worker)
            if worker.status is WorkerStatus.IDLE and before is not WorkerStatus.IDLE:
                self._on_idle()
            await asyncio.sleep(_POLL_SECONDS)

    async def _refresh(self, worker: PooledWorker) -> None:
        try:
            health = await worker.client.health()
        except WorkerLost:
            health = None
        if health and not self._is_ours(worker.worker_id, health.pid):
            health = None
        then, now = (known.status if known else "offline" for known in (worker.health, health))
        worker.health = health
        if then != now:
            logger.info(
                "worker %d on %s was %s and is %s %s", worker.worker_id, worker.gpu_id, then, now, worker.error or ""
            )
