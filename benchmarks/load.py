"""How the dispatcher holds up: 200 clients that poll, 50 that follow streams, while jobs run on 10 000 older ones.

    python -m benchmarks.load [--clients 200] [--streams 50] [--jobs 10000] [--seconds 20]

Starts a real dispatcher with one worker on the CPU and the miniature checkpoint in a folder of its own, and prints the
latencies of ``GET /job/{id}`` and the dispatcher's memory, a line of JSON with an empty store and one with a full one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import anyio
import httpx
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from backend.jobs.database import Database
from backend.jobs.tables import JobRow
from backend.settings import PROJECT_ROOT
from core.job import Job, Track, TrackStatus
from core.request import GenerationRequest
from models.checkpoint.miniature import write_miniature

_POLL_SECONDS = 1.0
_START_SECONDS = 120.0
_SONG = {"tags": "Jazz, Piano", "lyrics": "la la", "duration": 1}


@dataclass
class Figures:
    """What was measured."""

    latencies_ms: list[float] = field(default_factory=list)
    messages: int = 0
    errors: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200, help="that ask for a job every second")
    parser.add_argument("--streams", type=int, default=50, help="that follow a job's events")
    parser.add_argument("--jobs", type=int, default=10_000, help="ended ones that are in the store before")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as checkpoints:
        write_miniature(Path(checkpoints) / "miniature")
        for jobs in (0, options.jobs):
            with tempfile.TemporaryDirectory() as folder:
                _measure(Path(folder), Path(checkpoints) / "miniature", jobs, options)


def _measure(folder: Path, checkpoints: Path, jobs: int, options: argparse.Namespace) -> None:
    database = Database(f"sqlite:///{folder / 'jobs.sqlite3'}")
    database.open()
    _fill(database, jobs)
    database.close()
    with _dispatcher(folder, checkpoints) as (url, process):
        before = process.memory_info().rss
        figures = asyncio.run(_press(url, options))
        after = process.memory_info().rss
    latencies = sorted(figures.latencies_ms)
    p50, p99 = statistics.median(latencies), latencies[int(0.99 * len(latencies))]
    result = {
        "jobs_in_the_store": jobs,
        "requests": len(latencies),
        "errors": figures.errors,
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "worst_ms": round(latencies[-1], 1),
        "stream_messages": figures.messages,
        "memory_before_mib": round(before / 2**20),
        "memory_after_mib": round(after / 2**20),
        "load_average": round(os.getloadavg()[0], 1),
    }
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def _fill(database: Database, jobs: int) -> None:
    """Ended jobs, as years of use leave them."""
    moment = datetime.now(timezone.utc)
    with database.writing() as session:
        for number in range(jobs):
            request = GenerationRequest(tags=f"Jazz, Piano, {number}", lyrics="la la la\n" * 20)
            tracks = tuple(Track(index=index, seed=number, status=TrackStatus.DONE, progress=100) for index in range(2))
            job = Job(job_id=f"{number:032x}", request=request, created_at=moment, tracks=tracks, finished_at=moment)
            session.add(JobRow.of(job, None))


@contextmanager
def _dispatcher(folder: Path, checkpoints: Path) -> Iterator[tuple[str, psutil.Process]]:
    api_port, worker_port = _free_port(), _free_port()
    environment = {
        **os.environ,
        "API_PORT": str(api_port),
        "WORKER_BASE_PORT": str(worker_port),
        "KHALA_CHECKPOINTS": str(checkpoints),
        "KHALA_OUTPUT_DIR": str(folder / "audio"),
        "KHALA_LOGS_DIR": str(folder / "logs"),
        "KHALA_DATABASE_URL": f"sqlite:///{folder / 'jobs.sqlite3'}",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "backend", "serve", "--gpus", "cpu"]
    process = subprocess.Popen(command, env=environment, cwd=PROJECT_ROOT)
    url = f"http://127.0.0.1:{api_port}"
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _is_ready(url):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the dispatcher was not ready after {_START_SECONDS:g} s")
            time.sleep(0.2)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").is_success
    except httpx.TransportError:
        return False


async def _press(url: str, options: argparse.Namespace) -> Figures:
    figures = Figures()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits, trust_env=False) as http:
        # More than the worker can make meanwhile, so that it is at work all the time.
        ids = [(await http.post("/generate", json=_SONG)).json()["job_id"] for _ in range(20)]
        until = time.monotonic() + options.seconds
        polls = [_poll(http, random.choice(ids), figures, until) for _ in range(options.clients)]
        streams = [_follow(http, ids[number % len(ids)], figures, until) for number in range(options.streams)]
        await asyncio.gather(*polls, *streams)
    return figures


async def _poll(http: httpx.AsyncClient, job_id: str, figures: Figures, until: float) -> None:
    # Not all in the same instant: clients do not begin together.
    await asyncio.sleep(random.uniform(0, _POLL_SECONDS))
    while time.monotonic() < until:
        began = time.perf_counter()
        try:
            figures.errors += (await http.get(f"/job/{job_id}")).status_code != httpx.codes.OK
        except httpx.TransportError:
            figures.errors += 1
        taken = time.perf_counter() - began
        figures.latencies_ms.append(1000 * taken)
        await asyncio.sleep(max(0.0, _POLL_SECONDS - taken))


async def _follow(http: httpx.AsyncClient, job_id: str, figures: Figures, until: float) -> None:
    with anyio.move_on_after(until - time.monotonic()):
        async with http.stream("GET", f"/job/{job_id}/events") as answer:
            async for line in answer.aiter_lines():
                figures.messages += line.startswith("data:")


if __name__ == "__main__":
    main()
