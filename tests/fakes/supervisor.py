"""A supervisor of workers that are no processes: remembers whom it was asked to replace."""

from __future__ import annotations


class RecordingSupervisor:
    """Implements backend.workers.pool.Supervisor; every process ended with ``code``, if it is given."""

    def __init__(self, *, code: int | None = None) -> None:
        self.code = code
        self.replaced: list[tuple[int, bool]] = []
        """Worker and whether at once, in the order it was asked."""

    def trouble(self, worker_id: int) -> str | None:
        return None

    def is_ours(self, worker_id: int, pid: int) -> bool:
        return True

    async def exit_code(self, worker_id: int, pid: int) -> int | None:
        return self.code

    async def replace(self, worker_id: int, pid: int, *, at_once: bool) -> None:
        self.replaced.append((worker_id, at_once))
