"""Songs that are no longer wanted: how soon they stop, and what goes on."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from backend.jobs.rows import job_row
from tests.backend.studio import dispatching, served, studio, until
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
