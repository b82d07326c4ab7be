"""Workers that are of no more use, and an end in good order."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from backend.artifacts.store import ArtifactStore
from tests.backend.studio import dispatching, fake_worker, served, studio, until
from tests.backend.test_dispatching import rogue_worker
from tests.fakes.engine import FakeEngine
from tests.fakes.supervisor import RecordingSupervisor

BACKBONE = {"type": "progress", "track": 0, "progress": {"phase": "backbone"}}


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
        done, queued = await running.finished(at_work), await running.job(waiting)

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
