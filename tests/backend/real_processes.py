"""The real thing: ``python -m backend serve`` with its worker processes, on free ports and in a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from backend.settings import PROJECT_ROOT

_Seen = TypeVar("_Seen")

DEADLINE_SECONDS = 120.0


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def environment(folder: Path, checkpoints: Path, *, max_seconds: float = 2.0) -> dict[str, str]:
    """An environment in which everything the backend writes lies inside ``folder``."""
    api_port, worker_port = free_ports(2)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("KHALA_")},
        "API_PORT": str(api_port),
        "WORKER_BASE_PORT": str(worker_port),
        "KHALA_CHECKPOINTS": str(checkpoints),
        "KHALA_OUTPUT_DIR": str(folder / "audio"),
        "KHALA_LOGS_DIR": str(folder / "logs"),
        "KHALA_FRONTEND_DIST": str(folder / "no-page"),
        "KHALA_DATABASE_URL": f"sqlite:///{folder / 'jobs.sqlite3'}",
        "KHALA_MAX_SECONDS": str(max_seconds),
        "OMP_NUM_THREADS": "1",
    }


def url_in(environment: Mapping[str, str]) -> str:
    return f"http://127.0.0.1:{environment['API_PORT']}"


def until(look: Callable[[], _Seen | None]) -> _Seen:
    """Look again and again until there is something to see; a refused connection is nothing."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            seen = look()
        except httpx.TransportError:
            seen = None
        if seen is not None:
            return seen
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.05)


@dataclass(frozen=True, kw_only=True)
class RealBackend:
    """A running dispatcher process."""

    process: subprocess.Popen[bytes]
    http: httpx.Client

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.http.get("/status").json()
        return answer

    def until_loaded(self) -> None:
        """Wait until every worker has its models."""

        def look() -> bool | None:
            workers = self.status()["workers"]
            return (bool(workers) and all(worker["loaded"] for worker in workers)) or None

        until(look)

    def worker(self) -> psutil.Process:
        """The one worker's process."""
        (worker,) = self.status()["workers"]
        return psutil.Process(httpx.get(f"{worker['url']}/health").json()["pid"])

    def submit(self, **body: Any) -> str:
        answer = self.http.post("/generate", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])

    def job_when(self, job_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The job as soon as the condition holds."""

        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.http.get(f"/job/{job_id}").json()
            return job if condition(job) else None

        return until(look)

    def finished(self, job_id: str) -> dict[str, Any]:
        return self.job_when(job_id, lambda job: job["finished_at"] is not None)

    def has_finished(self, job_id: str) -> bool:
        return self.http.get(f"/job/{job_id}").json()["finished_at"] is not None

    def kill(self) -> None:
        """End the dispatcher in the middle of whatever it does."""
        self.process.kill()
        self.process.wait()


@contextmanager
def real_backend(environment: Mapping[str, str]) -> Iterator[RealBackend]:
    """The system with one CPU worker; stopped on leaving, and nothing may be left of it."""
    command = [sys.executable, "-m", "backend", "serve", "--gpus", "cpu"]
    process = subprocess.Popen(command, env=dict(environment), cwd=PROJECT_ROOT)
    try:
        with httpx.Client(base_url=url_in(environment), timeout=30) as http:
            until(lambda: http.get("/status").is_success or None)
            yield RealBackend(process=process, http=http)
    finally:
        family = _family(process.pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(DEADLINE_SECONDS)
        finally:
            # Whatever a test finds wrong, nothing of it is left behind.
            process.kill()
        assert until_gone(family), "a process of the backend is left"


def until_gone(processes: list[psutil.Process]) -> bool:
    """Whether all these processes end in time."""
    _, alive = psutil.wait_procs(processes, timeout=20)
    return not alive


def processes_with(name: str, value: str) -> list[psutil.Process]:
    """Every process of this machine that has this variable in its environment."""
    return [process for process in psutil.process_iter() if _environment_of(process).get(name) == value]


def _environment_of(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return {}


def loaded_libraries(pid: int) -> set[str]:
    """Names of the files a process has mapped into its memory."""
    return {Path(area.path).name for area in psutil.Process(pid).memory_maps()}


def _family(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []
