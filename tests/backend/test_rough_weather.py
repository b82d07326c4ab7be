"""Clocks that jump and connections that drop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from backend.artifacts.store import ArtifactStore
from tests.backend.studio import dispatching, fake_worker, studio, until
from tests.fakes.engine import FakeEngine


async def test_a_clock_that_jumps_changes_nothing_but_the_dates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump = timedelta()

    def wrong() -> datetime:
        return datetime.now(timezone.utc) + jump

    for module in ("rows", "service", "track_queue", "board", "housekeeping"):
        monkeypatch.setattr(f"backend.jobs.{module}.now", wrong)
    hold = threading.Event()
    async with studio(tmp_path, FakeEngine(hold=hold)) as running:
        submitted = []
        for days in (0, -400, 4000):
            jump = timedelta(days=days)
            hold.clear()
            submitted.append(await running.submit(num_tracks=1))
            await running.job_when(submitted[-1], lambda job: job["tracks"][0]["worker_phase"] == "backbone")
            jump = -jump
            job = await running.job(submitted[-1])
            assert job["finishes_in_seconds"] is None or job["finishes_in_seconds"] >= 0
            hold.set()
            assert (await running.finished(submitted[-1]))["status"] == "completed"
        await running.backend.housekeeping.remove_discarded()
        listed = [job["job_id"] for job in (await running.api.get("/jobs")).json()["jobs"]]

    assert listed == submitted[::-1], "the order is that of arrival, whatever the clock says"
    assert len(list((tmp_path / "audio").iterdir())) == 9


async def test_a_connection_that_drops_costs_time_but_no_song(tmp_path: Path) -> None:
    hold = threading.Event()
    engine = FakeEngine(hold=hold)
    async with (
        fake_worker(lambda: engine, ArtifactStore(tmp_path / "audio")) as url,
        wire_to(url) as wire,
        dispatching(tmp_path, [wire.url]) as running,
    ):
        job_id = await running.submit(seed=10)
        await running.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        wire.cut()
        await until(lambda: len(engine.batches) == 2)
        hold.set()
        job = await running.finished(job_id)

    assert job["status"] == "completed"
    assert engine.batches == [[10, 11], [10, 11]]
    assert len(list((tmp_path / "audio").iterdir())) == 6


class Wire:
    """A line to a worker that can be cut."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._ends: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Break every connection there is; new ones can be made."""
        for end in list(self._ends):
            end.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, until one side ends."""
        self._ends.add(writer)
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self._ends.discard(writer)
            writer.close()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[Wire]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    wire = Wire("")

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(wire.carry(reader, there_writer), wire.carry(there_reader, writer))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
