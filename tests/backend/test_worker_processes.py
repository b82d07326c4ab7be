"""The keeper of worker processes, with real ones."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import anyio

from backend.bootstrap import _worker_spec
from backend.settings import ServerSettings
from backend.workers.processes import WorkerProcesses
from tests.backend.real_processes import free_ports
from tests.backend.studio import settings_in, until


async def test_a_healthy_worker_that_is_replaced_is_not_blamed_for_an_older_crash(tmp_path: Path) -> None:
    settings = settings_in(tmp_path).model_copy(update={"server": ServerSettings(worker_base_port=free_ports(1)[0])})
    (tmp_path / "logs").mkdir()
    processes = WorkerProcesses(first_delay_seconds=0, longest_delay_seconds=0)

    def pid() -> int | None:
        life = processes._lives.get(0)
        return life.pid if life and not life.ended.is_set() else None

    async def another_than(old: int | None) -> int:
        await until(lambda: pid() not in (None, old))
        found = pid()
        assert found is not None
        return found

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(processes.run, [_worker_spec(settings, 0, ("cpu",))])
        crashed = await another_than(None)
        os.kill(crashed, signal.SIGKILL)
        healthy = await another_than(crashed)
        blamed = processes.trouble(0)
        await processes.replace(0, healthy, at_once=True)
        await another_than(healthy)
        forgiven = processes.trouble(0)
        tasks.cancel_scope.cancel()

    assert blamed and "ended with code -9" in blamed
    assert forgiven is None
