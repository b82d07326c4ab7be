"""Clocks that jump, connections that drop, disks that refuse and disks that fill."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from backend.artifacts.store import ArtifactStore
from backend.jobs.track_queue import Claim, TrackQueue
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


async def test_files_that_cannot_be_removed_stop_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []
    refuses = True

    def discard(store: ArtifactStore, file_id: str) -> None:
        if refuses:
            raise PermissionError(13, "Permission denied")
        removed.append(file_id)

    monkeypatch.setattr(ArtifactStore, "discard", discard)
    monkeypatch.setattr("backend.jobs.housekeeping._FORGET_AFTER", timedelta())
    monkeypatch.setattr("backend.jobs.housekeeping._FORGOTTEN_AT_ONCE", 2)
    async with studio(tmp_path, FakeEngine()) as running:
        failed = [await running.finished(await running.submit(num_tracks=2)) for _ in range(2)]
        for job in failed:
            assert (await running.api.delete(f"/jobs/{job['job_id']}")).status_code == 204
        assert (await running.finished(await running.submit()))["status"] == "completed"
        refuses = False
        await running.backend.housekeeping.remove_discarded()
        assert len(set(removed)) == 4, "they were not forgotten while they were there"
        removed.clear()
        await running.backend.housekeeping.remove_discarded()
        assert not removed


async def test_a_disk_that_fills_holds_the_queue_up_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    free = usage.free

    def measured(path: Path) -> object:
        return usage._replace(free=free)

    monkeypatch.setattr("backend.jobs.housekeeping.shutil.disk_usage", measured)
    monkeypatch.setattr("backend.jobs.dispatcher._ROOM_SECONDS", 0.05)
    hold = threading.Event()
    engine = FakeEngine(hold=hold)
    async with studio(tmp_path, engine) as running:
        first, second = [await running.submit(num_tracks=1) for _ in range(2)]
        await running.job_when(first, lambda job: job["status"] == "generating")
        free = 0
        hold.set()
        assert (await running.finished(first))["status"] == "completed"
        waiting = await running.job_when(second, lambda job: "disk" in job["tracks"][0]["phase_display"])
        assert waiting["tracks"][0]["phase_display"].startswith("Queued · The disk is nearly full: 0.0 GB are free")
        assert len(engine.batches) == 1, "nothing is computed that could not be kept"
        free = usage.free
        assert (await running.finished(second))["status"] == "completed"


async def test_a_claim_whose_answer_is_lost_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []

    def answer_once(queue: TrackQueue, worker_id: int, **rest: Any) -> Claim | None:
        answers.append(claim(queue, worker_id, **rest))
        if answers[-1] and sum(map(bool, answers)) == 1:
            raise OperationalError("COMMIT", None, ConnectionError("the server closed the connection"))
        return answers[-1]

    claim = TrackQueue.claim
    monkeypatch.setattr(TrackQueue, "claim", answer_once)
    monkeypatch.setattr("backend.jobs.patience._RETRY_SECONDS", 0.01)
    async with studio(tmp_path, FakeEngine()) as running:
        first, second = [await running.submit(num_tracks=1) for _ in range(2)]
        for job_id in (first, second):
            assert (await running.finished(job_id))["status"] == "completed"

    assert [answer.job_id for answer in answers if answer] == [first, first, second]


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
