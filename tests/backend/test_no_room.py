"""A folder of songs that cannot be reached: nothing is computed that cannot be kept, all say so, and it heals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.backend.studio import studio, until
from tests.fakes.engine import FakeEngine

REASON = "The folder of songs"


@pytest.fixture
def mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts another folder in the place of the one of songs, all at once; it is there at first, and looked at often."""
    monkeypatch.setattr("backend.jobs.dispatcher._ROOM_SECONDS", 0.05)

    def put(folder: str) -> None:
        link = tmp_path / "link"
        link.symlink_to(tmp_path / folder)
        link.replace(tmp_path / "audio")

    (tmp_path / "disk").mkdir()
    put("disk")
    return put


async def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        (tmp_path / "audio").rmdir()
        job = await running.finished(await running.submit(num_tracks=1))
    assert job["status"] == "completed"


async def test_no_room_is_told_before_anybody_asks_for_a_song(tmp_path: Path, mount: Callable[[str], None]) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        await running.until_idle()
        mount("nowhere")
        await until(lambda: running.pool.held_up is not None)
        mount("disk")
        await until(lambda: running.pool.held_up is None)


async def test_a_folder_that_is_gone_holds_the_queue_up_and_says_so(
    tmp_path: Path, mount: Callable[[str], None]
) -> None:
    hold = threading.Event()
    async with studio(tmp_path, FakeEngine(hold=hold)) as running:
        at_work, waiting = await running.submit(num_tracks=1), await running.submit(num_tracks=1)
        await running.job_when(at_work, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        mount("nowhere")
        refused = await running.api.post("/generate", json={"tags": "Jazz"})
        hold.set()
        lost = await running.finished(at_work)
        held = await running.job_when(waiting, lambda job: REASON in job["tracks"][0]["phase_display"])
        status, ready = await running.api.get("/status"), await running.api.get("/readyz")
        mount("disk")
        done = await running.finished(waiting)
        afterwards = await running.api.get("/status")

    assert refused.status_code == 507
    assert refused.json()["error"].startswith(REASON)
    assert lost["status"] == "failed"
    assert held["starts_in_seconds"] is None
    assert status.json()["held_up"] == ready.json()["error"] == refused.json()["error"]
    assert ready.status_code == 503
    assert done["status"] == "completed"
    assert afterwards.json()["held_up"] is None
