"""Lists of jobs, words on them, cancelling, trying again, removing: the API beside the published one."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import DeviceOutOfMemory
from tests.backend.studio import Studio, reception, studio, until
from tests.fakes.engine import FakeEngine

UNKNOWN = {"error": "There is no job with this id."}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Studio]:
    async with reception(tmp_path) as studio:
        yield studio


async def listed(running: Studio, **query: Any) -> list[str]:
    answer = await running.api.get("/jobs", params=query)
    assert answer.status_code == 200, answer.text
    return [job["job_id"] for job in answer.json()["jobs"]]


async def test_a_job_tells_what_was_asked_for_and_that_makes_it_again(running: Studio) -> None:
    body = {
        "mode": "instrumental",
        "prompt_mode": "natural",
        "prompt": "calm",
        "tags": "Jazz",
        "lyrics": "la",
        "duration": 2,
        "top_k_bb": 50,
        "temperature": 0.8,
        "top_k_sr": 3,
        "num_tracks": 3,
        "seed": 7,
    }
    job = await running.job(await running.submit(**body, title="Rain"))
    assert job["request"] == body
    assert (job["title"], job["favourite"], job["notes"], job["checkpoint"]) == ("Rain", False, "", None)
    again = await running.job((await running.api.post("/generate", json=job["request"])).json()["job_id"])
    assert again["request"] == body
    assert [track["seed"] for track in again["tracks"]] == [track["seed"] for track in job["tracks"]]


async def test_jobs_are_listed_page_by_page(running: Studio) -> None:
    ids = [await running.submit(title=f"Song {number}") for number in range(5)]

    first = (await running.api.get("/jobs", params={"limit": 2})).json()
    second = (await running.api.get("/jobs", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    third = (await running.api.get("/jobs", params={"limit": 2, "cursor": second["next_cursor"]})).json()

    pages = [[job["job_id"] for job in page["jobs"]] for page in (first, second, third)]
    assert pages == [ids[4:2:-1], ids[2:0:-1], ids[:1]]
    assert [page["total"] for page in (first, second, third)] == [5, 5, 5]
    assert third["next_cursor"] is None
    assert first["jobs"][0] == await running.job(ids[4])


async def test_lists_are_filtered(running: Studio) -> None:
    rain, sun = await running.submit(title="Rain"), await running.submit(title="Sun")
    await running.api.patch(f"/job/{sun}", json={"favourite": True})
    await running.api.delete(f"/job/{rain}")

    assert await listed(running, text=" rAIN ") == [rain]
    assert await listed(running, favourite=True) == [sun]
    assert await listed(running, status="cancelled") == [rain]
    assert await listed(running, status=["cancelled", "queued"]) == [sun, rain]
    assert await listed(running, status="queued", text="rain") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "j-1"}, "cursor"),
        ({"cursor": "j0x1"}, "cursor"),
        ({"cursor": "j" + "f" * 99}, "cursor"),
        ({"cursor": "j80000000"}, "cursor"),
        ({"status": "loud"}, "status.0"),
        ({"favourite": "maybe"}, "favourite"),
        ({"text": "a\x00b"}, "text"),
    ],
)
async def test_a_wrong_parameter_is_named(running: Studio, query: dict[str, Any], field: str) -> None:
    answer = await running.api.get("/jobs", params=query)

    assert answer.status_code == 422
    assert answer.json()["field"] == field


async def test_people_write_on_their_jobs(running: Studio) -> None:
    job_id = await running.submit()
    written = await running.api.patch(f"/job/{job_id}", json={"title": "Rain", "notes": "夜\nsecond try"})
    assert written.status_code == 200
    assert (await running.api.patch(f"/job/{job_id}", json={"favourite": True})).json() == await running.job(job_id)
    job = await running.job(job_id)

    assert (job["title"], job["notes"], job["favourite"]) == ("Rain", "夜\nsecond try", True)


@pytest.mark.parametrize(
    "body",
    [
        {"title": "x" * 121},
        {"notes": "x" * 4001},
        {"title": "a\x00b"},
        {"favourite": "very"},
        {"seed": 1},
        {"title": 7},
        [],
    ],
)
async def test_what_cannot_be_written_changes_nothing(running: Studio, body: Any) -> None:
    job_id = await running.submit(title="Rain")
    answer = await running.api.patch(f"/job/{job_id}", json=body)

    assert answer.status_code == 422
    assert (await running.job(job_id))["title"] == "Rain"


async def test_a_title_that_is_too_long_is_refused_when_asking(running: Studio) -> None:
    assert (await running.api.post("/generate", json={"title": "x" * 121})).json()["field"] == "title"


async def test_a_queued_job_is_cancelled_at_once_and_stays_so(running: Studio) -> None:
    job_id = await running.submit()
    cancelled = await running.api.delete(f"/job/{job_id}")

    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "cancelled"
    assert [track["phase_display"] for track in cancelled.json()["tracks"]] == ["Cancelled", "Cancelled"]
    assert cancelled.json()["finished_at"] is not None
    assert (await running.api.delete(f"/job/{job_id}")).json() == cancelled.json()


async def test_a_cancelled_job_can_be_tried_again(running: Studio) -> None:
    job_id = await running.submit(seed=7)
    early = await running.api.post(f"/job/{job_id}/retry")
    await running.api.delete(f"/job/{job_id}")
    again = await running.api.post(f"/job/{job_id}/retry")

    assert early.status_code == 409
    assert "not ended yet" in early.json()["error"]
    assert again.status_code == 200
    assert (again.json()["status"], again.json()["finished_at"]) == ("queued", None)
    assert [track["seed"] for track in again.json()["tracks"]] == [7, 8]


async def test_an_ended_job_is_removed_with_its_files_for_ever(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        job_id = await running.submit()
        early = await running.api.delete(f"/jobs/{job_id}")
        await running.finished(job_id)
        assert len(list((tmp_path / "audio").iterdir())) == 6
        removed = await running.api.delete(f"/jobs/{job_id}")
        gone = [(await running.api.get(path)).status_code for path in (f"/job/{job_id}", f"/job/{job_id}/track/0/mp3")]

    assert early.status_code == 409
    assert (removed.status_code, removed.content) == (204, b"")
    assert gone == [404, 404]
    assert list((tmp_path / "audio").iterdir()) == []


async def test_unknown_jobs_are_404s_whatever_is_asked_of_them(running: Studio) -> None:
    for answer in (
        await running.api.patch("/job/unknown", json={}),
        await running.api.delete("/job/unknown"),
        await running.api.delete("/jobs/unknown"),
        await running.api.post("/job/unknown/retry"),
        await running.api.get("/job/unknown/events"),
    ):
        assert (answer.status_code, answer.json()) == (404, UNKNOWN)


async def test_a_repeated_request_with_its_key_is_answered_for_the_first_job(running: Studio) -> None:
    headers = {"Idempotency-Key": "0b7c3f0c"}
    body = {"tags": "Jazz", "lyrics": "la", "duration": 99}
    first = await running.api.post("/generate", json=body, headers=headers)
    again = await running.api.post("/generate", json=body, headers=headers)
    changed = await running.api.post("/generate", json={**body, "tags": "Rock"}, headers=headers)
    endless = await running.api.post("/generate", json=body, headers={"Idempotency-Key": "x" * 129})

    assert again.json() == first.json()
    assert changed.status_code == 409
    assert "Idempotency-Key" in changed.json()["error"]
    assert endless.status_code == 422
    assert len(await listed(running)) == 1


async def test_a_full_queue_is_a_429_that_says_when_to_ask_again(tmp_path: Path) -> None:
    async with reception(tmp_path, jobs={"max_queued": 1}) as running:
        job_id = await running.submit()
        refused = await running.api.post("/generate", json={"tags": "Jazz"})
        await running.api.delete(f"/job/{job_id}")
        other = await running.submit()
        retried = await running.api.post(f"/job/{job_id}/retry")

    for answer in (refused, retried):
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["error"] == "1 jobs wait already, and no more may. Ask again later."
    assert other


async def test_a_nearly_full_disk_is_a_507_and_what_is_there_stays_readable(tmp_path: Path) -> None:
    async with reception(tmp_path) as running:
        job_id = await running.submit()
    async with reception(tmp_path, jobs={"min_free_gb": 10**9}) as running:
        refused = await running.api.post("/generate", json={"tags": "Jazz"})
        assert (await running.job(job_id))["status"] == "queued"

    assert refused.status_code == 507
    assert refused.json()["error"].startswith("The disk is nearly full: ")


async def test_finishing_is_foretold_from_what_songs_took_before(tmp_path: Path) -> None:
    hold = threading.Event()
    hold.set()
    engine = FakeEngine(hold=hold)
    async with studio(tmp_path, engine) as running:
        first = await running.submit(num_tracks=1)
        assert (await running.job(first))["starts_in_seconds"] is None
        await running.finished(first)
        hold.clear()
        at_work, waiting = await running.submit(num_tracks=1), await running.submit(num_tracks=1)
        await running.job_when(at_work, lambda job: job["status"] == "generating")
        job = await running.job_when(at_work, lambda job: job["starts_in_seconds"] is None)
        behind = await running.job_when(waiting, lambda job: job["starts_in_seconds"] is not None)
        hold.set()
        ended = await running.finished(waiting)

    assert job["starts_in_seconds"] is None
    assert job["tracks"][0]["eta_seconds"] == job["finishes_in_seconds"] >= 0
    assert 0 <= behind["starts_in_seconds"] < behind["finishes_in_seconds"]
    assert (ended["finishes_in_seconds"], ended["tracks"][0]["eta_seconds"]) == (None, None)
    assert ended["checkpoint"] == "fake"


async def test_a_device_without_memory_fails_the_job_with_the_setting_that_helps(tmp_path: Path) -> None:
    engine = FakeEngine(breakage=DeviceOutOfMemory("There is not enough memory. Use the runtime mode one_shot."))
    async with studio(tmp_path, engine) as running:
        job = await running.finished(await running.submit(num_tracks=1))
        engine.breakage = None
        await running.api.post(f"/job/{job['job_id']}/retry")
        again = await running.finished(job["job_id"])
        await until(lambda: bool(running.pool.idle()))

    assert job["status"] == "failed"
    assert "one_shot" in job["tracks"][0]["error"]
    assert (again["status"], again["tracks"][0]["error"]) == ("completed", None)
