"""From the queue to the workers and back: batches, shares, lost workers, restarts."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import Response, StreamingResponse

from backend.artifacts.store import ArtifactStore
from backend.jobs.database import Database
from backend.jobs.track_queue import TrackQueue
from backend.workers.messages import GenerateTask, Health
from core.engine import RuntimeMode
from core.job import TrackStatus
from core.progress import Phase
from tests.backend.jobs import add, claim
from tests.backend.studio import Studio, dispatching, fake_worker, served, settings_in, studio, until
from tests.fakes.engine import FakeEngine

SILENCE = object()
Answer = Callable[[GenerateTask], Sequence[object]]


def rogue_worker(answer: Answer, *, status: int = 200, dies: bool = False) -> FastAPI:
    """An idle worker that answers tasks with whatever lines a test wants, and with ``dies`` is gone after the first."""
    app = FastAPI()
    tasks: list[GenerateTask] = []

    @app.get("/health")
    async def health() -> Health:
        if dies and tasks:
            raise HTTPException(503)
        return Health(
            status="idle", worker_id=0, gpu_id="cpu", seed=1, runtime_mode=RuntimeMode.ONE_SHOT, pid=os.getpid()
        )

    @app.post("/generate")
    async def generate(task: GenerateTask) -> Response:
        tasks.append(task)

        async def lines() -> AsyncIterator[str]:
            for line in answer(task):
                if line is SILENCE:
                    await asyncio.Event().wait()
                yield (line if isinstance(line, str) else json.dumps(line)) + "\n"

        return StreamingResponse(lines(), status_code=status)

    return app


@asynccontextmanager
async def beside_one_that_dies(folder: Path, engine: FakeEngine) -> AsyncIterator[Studio]:
    """Worker 0 dies at its first task, worker 1 makes songs; both are idle."""
    async with (
        served(rogue_worker(lambda task: [], dies=True)) as rogue,
        fake_worker(lambda: engine, ArtifactStore(folder / "audio"), worker_id=1) as good,
        dispatching(folder, [rogue, good]) as running,
    ):
        await running.until_idle(2)
        yield running


async def test_one_idle_worker_makes_both_tracks_in_one_batch(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with studio(tmp_path, engine) as running:
        await running.finished(await running.submit(seed=10))

    assert engine.batches == [[10, 11]]


async def test_several_idle_workers_share_the_tracks(tmp_path: Path) -> None:
    hold = threading.Event()
    engines = [FakeEngine(hold=hold), FakeEngine(hold=hold)]
    async with studio(tmp_path, *engines) as running:
        await running.until_idle(2)
        job_id = await running.submit(seed=10)
        await until(lambda: all(engine.batches for engine in engines))
        hold.set()
        job = await running.finished(job_id)

    assert sorted(engine.batches[0] for engine in engines) == [[10], [11]]
    assert {track["worker_id"] for track in job["tracks"]} == {0, 1}


async def test_a_busy_worker_is_not_booked_twice_and_the_queue_goes_on_in_order(tmp_path: Path) -> None:
    hold = threading.Event()
    engine = FakeEngine(hold=hold)
    async with studio(tmp_path, engine) as running:
        jobs = [await running.submit(seed=100 * number, num_tracks=1) for number in range(3)]
        await running.job_when(jobs[0], lambda job: job["status"] == "generating")
        status = (await running.api.get("/status")).json()
        assert (status["active_jobs"], status["queued_jobs"], status["idle_gpus"]) == (1, 2, 0)
        assert [(await running.job(job_id))["queue_position"] for job_id in jobs] == [0, 1, 2]
        hold.set()
        for job_id in jobs:
            await running.finished(job_id)

    assert engine.batches == [[0], [100], [200]]


async def test_one_failed_track_leaves_the_other_alone(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine(silent_seeds=[11])) as running:
        job = await running.finished(await running.submit(seed=10))

    assert job["status"] == "partial"
    assert [track["status"] for track in job["tracks"]] == ["done", "error"]
    assert job["tracks"][1]["error"].startswith("The model ended the song before its first frame.")


async def test_an_unexpected_error_fails_the_job_in_words_and_the_worker_goes_on(tmp_path: Path) -> None:
    engine = FakeEngine(breakage=ZeroDivisionError("secret detail"))
    async with studio(tmp_path, engine) as running:
        job = await running.finished(await running.submit())
        engine.breakage = None
        next_job = await running.finished(await running.submit())

    assert job["status"] == "failed"
    for track in job["tracks"]:
        assert "secret" not in track["error"]
        assert track["error"].endswith("its log in backend/logs has the details.")
    assert next_job["status"] == "completed"


@pytest.mark.parametrize(
    "answer",
    [
        lambda task: [],
        lambda task: ["this is no event"],
        lambda task: [{"type": "finished"}],
        lambda task: [{"type": "applause", "track": 0}],
        lambda task: [{"type": "failed", "track": 17, "error": "whose?"}],
        lambda task: [{"type": "progress", "track": 0, "progress": {"phase": "backbone", "fraction": 0.5}}],
        lambda task: [{"type": "cancelled", "track": 0}],
        lambda task: [_finished("20260101_000000_00000000")],
        lambda task: [*_phases(), _finished("20260101_000000_00000000")],
        lambda task: [*_phases(), _finished("../../../etc/passwd")],
    ],
    ids=[
        "says nothing",
        "no JSON",
        "half an event",
        "unknown event",
        "a stranger's track",
        "stops half way",
        "cancelled by itself",
        "finished before it was decoded",
        "files that are not there",
        "files elsewhere",
    ],
)
async def test_a_worker_that_talks_nonsense_is_lost_and_its_track_is_tried_once_more(
    tmp_path: Path, answer: Answer
) -> None:
    attempts: list[GenerateTask] = []

    def counted(task: GenerateTask) -> Sequence[object]:
        attempts.append(task)
        return answer(task)

    async with served(rogue_worker(counted)) as url, dispatching(tmp_path, [url]) as running:
        job = await running.finished(await running.submit(num_tracks=1))

    assert len(attempts) == 2
    assert job["status"] == "failed"
    assert "gave no proper answer" in job["tracks"][0]["error"]
    assert "2 times in a row" in job["tracks"][0]["error"]


async def test_a_worker_that_falls_silent_is_lost(tmp_path: Path) -> None:
    async with (
        served(rogue_worker(lambda task: [*_phases(), SILENCE])) as url,
        dispatching(tmp_path, [url], silence_seconds=0.3) as running,
    ):
        job = await running.finished(await running.submit(num_tracks=1))

    assert job["status"] == "failed"


async def test_a_refusal_to_start_counts_as_lost(tmp_path: Path) -> None:
    async with served(rogue_worker(lambda task: [], status=409)) as url, dispatching(tmp_path, [url]) as running:
        job = await running.finished(await running.submit(num_tracks=1))

    assert job["status"] == "failed"


async def test_a_track_lost_by_one_worker_is_made_by_another(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with beside_one_that_dies(tmp_path, engine) as running:
        job = await running.finished(await running.submit(seed=10))

    assert job["status"] == "completed"
    assert {track["worker_id"] for track in job["tracks"]} == {1}
    assert sorted(seed for batch in engine.batches for seed in batch) == [10, 11]


async def test_a_lost_track_goes_to_a_worker_that_has_been_idle_all_the_time(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with beside_one_that_dies(tmp_path, engine) as running:
        job = await running.finished(await running.submit(num_tracks=1))

    assert job["status"] == "completed"
    assert job["tracks"][0]["worker_id"] == 1


async def test_a_track_whose_end_was_noted_after_all_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose = TrackQueue.lose

    def noted_meanwhile(queue: TrackQueue, file_id: str, reason: str) -> TrackStatus:
        queue.fail(file_id, "It failed, and the answer that this was noted got lost.")
        return lose(queue, file_id, reason)

    monkeypatch.setattr(TrackQueue, "lose", noted_meanwhile)
    async with served(rogue_worker(lambda task: [])) as url, dispatching(tmp_path, [url]) as running:
        for _ in range(2):
            job = await running.finished(await running.submit(num_tracks=1))
            assert job["tracks"][0]["error"].startswith("It failed")


async def test_a_stage_may_take_longer_than_a_worker_may_be_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.workers.app.HEARTBEAT_SECONDS", 0.05)
    silence_seconds = 0.5
    hold = threading.Event()
    engine = FakeEngine(hold=hold)
    async with (
        fake_worker(lambda: engine, ArtifactStore(tmp_path / "audio")) as url,
        dispatching(tmp_path, [url], silence_seconds=silence_seconds) as running,
    ):
        job_id = await running.submit(num_tracks=1)
        await running.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        patient_until = time.monotonic() + 2 * silence_seconds
        await until(lambda: time.monotonic() > patient_until)
        hold.set()
        assert (await running.finished(job_id))["status"] == "completed"

    assert len(engine.batches) == 1, "it was taken for lost and tried again"


async def test_a_worker_that_stops_mid_song_loses_its_tracks_to_the_queue(tmp_path: Path) -> None:
    engine = FakeEngine(hold=threading.Event())
    async with AsyncExitStack() as worker:
        url = await worker.enter_async_context(fake_worker(lambda: engine, ArtifactStore(tmp_path / "audio")))
        async with dispatching(tmp_path, [url]) as running:
            job_id = await running.submit()
            await running.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
            await worker.aclose()
            job = await running.job_when(job_id, lambda job: job["status"] == "queued")

    assert [track["phase_display"] for track in job["tracks"]] == ["Queued", "Queued"]
    assert not list((tmp_path / "audio").iterdir())


async def test_tracks_the_last_life_left_running_are_made_after_a_restart(tmp_path: Path) -> None:
    database = Database(settings_in(tmp_path).jobs.database_url)
    database.open()
    add(database)
    claim(database)
    database.close()

    engine = FakeEngine()
    async with studio(tmp_path, engine) as running:
        job = await running.finished("job")

    assert job["status"] == "completed"
    assert engine.batches == [[2**32 - 1, 2**32 - 2]]


async def test_max_seconds_ends_every_track_on_a_frame(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine(frames=100), max_seconds=1.0) as running:
        job = await running.finished(await running.submit())

    assert [track["duration_sec"] for track in job["tracks"]] == [round(21 * 2048 / 44_100, 6)] * 2


def _phases() -> list[object]:
    phases = (Phase.BACKBONE, Phase.SUPERRES, Phase.DECODING)
    return [{"type": "progress", "track": 0, "progress": {"phase": phase.value}} for phase in phases]


def _finished(file_id: str) -> object:
    files = {"wav_file": f"{file_id}.wav", "mp3_file": f"{file_id}.mp3", "metadata_file": f"{file_id}.json"}
    return {"type": "finished", "track": 0, "files": {"duration_seconds": 1.0, **files}}
