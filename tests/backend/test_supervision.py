"""Tracks that are no longer wanted, workers that are of no more use, and an end in good order."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.artifacts.store import ArtifactStore
from backend.jobs.database import Database
from backend.jobs.one_dispatcher import OneDispatcher, SecondDispatcher
from backend.jobs.rows import job_row
from backend.logs import JsonLines, TextLines, log_job
from tests.backend.studio import dispatching, fake_worker, served, studio, until
from tests.backend.test_dispatching import SILENCE, rogue_worker
from tests.fakes.engine import FakeEngine
from tests.fakes.supervisor import RecordingSupervisor

BACKBONE = {"type": "progress", "track": 0, "progress": {"phase": "backbone"}}


async def test_a_cancelled_job_stops_within_two_seconds_and_the_next_one_is_made(tmp_path: Path) -> None:
    hold, supervisor = threading.Event(), RecordingSupervisor()
    engine = FakeEngine(hold=hold)
    async with studio(tmp_path, engine, supervisor=supervisor) as running:
        job_id = await running.submit()
        await running.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        wished = time.monotonic()
        answer = (await running.api.delete(f"/job/{job_id}")).json()
        job = await running.finished(job_id)
        await running.until_idle()
        seconds = time.monotonic() - wished
        hold.set()
        following = await running.finished(await running.submit())

    assert answer["status"] == "generating"
    assert {track["phase_display"] for track in answer["tracks"]} == {"Cancelling..."}
    assert (job["status"], [track["status"] for track in job["tracks"]]) == ("cancelled", ["cancelled"] * 2)
    assert seconds < 2
    assert supervisor.replaced == [], "it stopped by itself"
    assert following["status"] == "completed"
    assert len(list((tmp_path / "audio").iterdir())) == 6


async def test_one_cancelled_track_leaves_the_other_of_its_batch_alone(tmp_path: Path) -> None:
    hold = threading.Event()
    async with studio(tmp_path, FakeEngine(hold=hold)) as running:
        job_id = await running.submit()
        await running.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        with running.backend.database.writing() as session:
            row = job_row(session, job_id)
            assert row is not None
            row.tracks[0].cancel_wished = True
        await running.job_when(job_id, lambda job: job["tracks"][0]["status"] == "cancelled")
        hold.set()
        job = await running.finished(job_id)

    assert job["status"] == "partial"
    assert [track["status"] for track in job["tracks"]] == ["cancelled", "done"]
    assert len(list((tmp_path / "audio").iterdir())) == 3


async def test_a_worker_that_does_not_stop_in_time_is_replaced_at_once(tmp_path: Path) -> None:
    supervisor = RecordingSupervisor()
    async with (
        served(rogue_worker(lambda task: [BACKBONE, SILENCE])) as url,
        dispatching(tmp_path, [url], supervisor=supervisor) as running,
    ):
        job_id = await running.submit(num_tracks=1)
        await running.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        wished = time.monotonic()
        await running.api.delete(f"/job/{job_id}")
        job = await running.finished(job_id)
        seconds = time.monotonic() - wished
        await until(lambda: bool(supervisor.replaced))

    assert job["status"] == "cancelled"
    assert seconds < 2
    assert supervisor.replaced == [(0, True)]


async def test_a_worker_that_lives_but_makes_no_progress_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.workers.app.HEARTBEAT_SECONDS", 0.05)
    hold, supervisor = threading.Event(), RecordingSupervisor()

    class HangsBetweenSteps(FakeEngine):
        """Takes no notice of anything for as long as a test holds it."""

        def encode_text(self, text: str) -> list[int]:
            hold.wait(20)
            return super().encode_text(text)

    async with (
        fake_worker(HangsBetweenSteps, ArtifactStore(tmp_path / "audio")) as url,
        dispatching(
            tmp_path, [url], supervisor=supervisor, jobs={"worker_stall_seconds": 0.5, "max_attempts": 1}
        ) as running,
    ):
        job = await running.finished(await running.submit(num_tracks=1))
        await until(lambda: bool(supervisor.replaced))
        hold.set()

    assert job["status"] == "failed"
    assert "hung: it made no progress for 0.5 seconds" in job["tracks"][0]["error"]
    assert "KHALA_WORKER_STALL_SECONDS" in job["tracks"][0]["error"]
    assert supervisor.replaced == [(0, False)]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (-9, "The system ended the worker that made this track (signal 9), most often because memory ran out"),
        (3, "stopped unexpectedly (code 3)"),
    ],
)
async def test_a_dead_worker_is_told_apart_from_one_that_was_killed(tmp_path: Path, code: int, sentence: str) -> None:
    async with (
        served(rogue_worker(lambda task: [BACKBONE])) as url,
        dispatching(tmp_path, [url], supervisor=RecordingSupervisor(code=code)) as running,
    ):
        job = await running.finished(await running.submit(num_tracks=1))

    assert sentence in job["tracks"][0]["error"]


async def test_a_worker_that_talks_nonsense_does_not_get_the_second_attempt(tmp_path: Path) -> None:
    async with (
        served(rogue_worker(lambda task: ["this is no event"])) as rogue,
        fake_worker(FakeEngine, ArtifactStore(tmp_path / "audio"), worker_id=1) as good,
        dispatching(tmp_path, [rogue, good]) as running,
    ):
        await running.until_idle(2)
        jobs = [await running.finished(await running.submit(num_tracks=1)) for _ in range(3)]

    assert {job["status"] for job in jobs} == {"completed"}
    assert {job["tracks"][0]["worker_id"] for job in jobs} == {1}


async def test_a_stop_waits_for_songs_at_work_and_begins_no_other(tmp_path: Path) -> None:
    hold = threading.Event()
    engine = FakeEngine(hold=hold)
    async with studio(tmp_path, engine, jobs={"shutdown_grace_seconds": 20}) as running:
        at_work, waiting = await running.submit(num_tracks=1), await running.submit(num_tracks=1)
        await running.job_when(at_work, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        drained = asyncio.create_task(running.backend.drain())
        await until(lambda: running.pool.closed)
        ready = await running.api.get("/readyz")
        hold.set()
        await drained
        done, queued = await running.job(at_work), await running.job(waiting)

    assert (ready.status_code, ready.json()["error"]) == (503, "Khala is being stopped.")
    assert (done["status"], queued["status"]) == ("completed", "queued")
    assert len(engine.batches) == 1


async def test_a_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine(hold=threading.Event()), jobs={"shutdown_grace_seconds": 0.1}) as running:
        job_id = await running.submit(num_tracks=1)
        await running.job_when(job_id, lambda job: job["status"] == "generating")
        began = time.monotonic()
        await running.backend.drain()
        assert time.monotonic() - began < 5
        assert (await running.job(job_id))["status"] == "generating", "it is queued again when its worker is gone"


def test_a_second_dispatcher_on_one_database_is_refused(database_url: str) -> None:
    @contextmanager
    def right() -> Iterator[None]:
        database = Database(database_url)
        one = OneDispatcher(database)
        one.acquire()
        try:
            yield
        finally:
            one.release()
            database.close()

    with right(), pytest.raises(SecondDispatcher, match="Another dispatcher works on the database"), right():
        pytest.fail("two have the right at once")
    with right():
        pass


def test_a_lost_connection_does_not_cost_the_right_unless_somebody_takes_it(postgres_url: str) -> None:
    database, other = Database(postgres_url), Database(postgres_url)
    mine, theirs = OneDispatcher(database), OneDispatcher(other)
    mine.acquire()
    _break_connections(other)
    mine._check()
    with pytest.raises(SecondDispatcher):
        theirs.acquire()

    _break_connections(other)
    theirs.acquire()
    with pytest.raises(SecondDispatcher):
        mine._check()
    theirs.release()
    for opened in (database, other):
        opened.close()


def _break_connections(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


async def test_a_clock_that_jumps_changes_nothing_but_the_dates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump = timedelta()

    def wrong() -> datetime:
        return datetime.now(timezone.utc) + jump

    for module in ("rows", "service", "track_queue", "forecaster", "housekeeping"):
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


async def test_the_metrics_tell_what_happened(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine(silent_seeds=[8])) as running:
        await running.finished(await running.submit(seed=7))
        await running.until_idle()
        answer = await running.api.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = answer.text.splitlines()
    for line in (
        'khala_jobs{state="queued"} 0.0',
        'khala_workers{state="idle"} 1.0',
        'khala_tracks_ended_total{outcome="done"} 1.0',
        'khala_tracks_ended_total{outcome="failed"} 1.0',
        'khala_phase_seconds_count{phase="superres"} 1.0',
    ):
        assert line in told


async def test_ready_means_that_a_worker_has_its_models(tmp_path: Path) -> None:
    may_open = threading.Event()

    def slow() -> FakeEngine:
        may_open.wait(20)
        return FakeEngine()

    async with (
        fake_worker(slow, ArtifactStore(tmp_path / "audio")) as url,
        dispatching(tmp_path, [url]) as running,
    ):
        loading = await running.api.get("/readyz")
        may_open.set()
        await running.until_idle()
        ready = await running.api.get("/readyz")

    assert loading.status_code == 503
    assert loading.json()["error"].startswith("The workers are still")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok"})


def test_a_line_of_the_log_names_its_job() -> None:
    def record(message: str) -> logging.LogRecord:
        return logging.LogRecord("backend.x", logging.WARNING, "x.py", 1, message, (), None)

    with log_job("abc"):
        plain, named = TextLines().format(record("it rains")), TextLines().format(record("job abc: it rains"))
        line = json.loads(JsonLines().format(record("it rains\nhard")))
    outside = json.loads(JsonLines().format(record("it rains")))

    assert plain.endswith("backend.x: it rains [job abc]")
    assert named.endswith("job abc: it rains")
    assert (line["job_id"], line["level"], line["message"]) == ("abc", "warning", "it rains\nhard")
    assert outside["job_id"] is None
