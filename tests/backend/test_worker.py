"""The worker's HTTP server around a fake engine."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from backend.artifacts.store import ArtifactStore
from backend.settings import PROJECT_ROOT
from backend.workers.batch_watch import BatchWatch
from backend.workers.messages import ProgressEvent
from core.engine import RuntimeMode, SongEngine
from core.errors import CheckpointError, DeviceOutOfMemory, EngineLost
from core.progress import Phase, Progress
from tests.backend.studio import fake_worker, until_async
from tests.fakes.engine import FakeEngine

TASK: dict[str, Any] = {
    "job_id": "job",
    "request": {"tags": "Jazz", "lyrics": "la"},
    "tracks": [{"index": 2, "seed": 20}, {"index": 3, "seed": 30}],
}


@asynccontextmanager
async def worker(folder: Path, open_engine: Callable[[], SongEngine]) -> AsyncIterator[httpx.AsyncClient]:
    artifacts = ArtifactStore(folder)
    artifacts.open()
    async with fake_worker(open_engine, artifacts) as url, httpx.AsyncClient(base_url=url, timeout=20) as http:
        yield http


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def health_when(http: httpx.AsyncClient, status: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        health: dict[str, Any] = (await http.get("/health")).json()
        return health if health["status"] == status else None

    return await until_async(look)


async def test_health_says_how_the_worker_is(tmp_path: Path) -> None:
    async with worker(tmp_path, FakeEngine) as http:
        health = await health_when(http, "idle")

    assert (health["phase"], health["progress"], health["progress_detail"]) == ("idle", 0, "Queued")
    assert (health["worker_id"], health["gpu_id"], health["seed"]) == (0, "cpu", 1283)
    assert health["runtime_mode"] == "one_shot"
    assert health["engine"]["checkpoint"] == "fake"


async def test_config_says_with_what_the_worker_computes(tmp_path: Path) -> None:
    async with worker(tmp_path, lambda: FakeEngine(trained=False)) as http:
        await health_when(http, "idle")
        config = (await http.get("/config")).json()

    assert config["untrained"] is True
    assert config["engine"]["fc1_bias"] == "once"
    assert (config["runtime_mode"], config["max_seconds"]) == ("one_shot", None)


async def test_a_batch_is_a_stream_of_events_that_ends_each_track_once(tmp_path: Path) -> None:
    async with worker(tmp_path, FakeEngine) as http:
        await health_when(http, "idle")
        answer = await http.post("/generate", json=TASK)

    events = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    for track in (2, 3):
        mine = [event for event in events if event["track"] == track]
        assert [event["type"] for event in mine[:-1]] == ["progress"] * (len(mine) - 1)
        assert mine[-1]["type"] == "finished"
        phases = [event["progress"]["phase"] for event in mine[:-1]]
        assert list(dict.fromkeys(phases)) == [
            "loading_backbone",
            "backbone",
            "loading_superres",
            "superres",
            "loading_decoder",
            "decoding",
        ]
        assert (tmp_path / mine[-1]["files"]["wav_file"]).is_file()


async def test_downloads_are_files_or_honest_404s(tmp_path: Path) -> None:
    async with worker(tmp_path, FakeEngine) as http:
        await health_when(http, "idle")
        lines = (await http.post("/generate", json=TASK)).text.splitlines()
        name = json.loads(lines[-1])["files"]["wav_file"]
        there = await http.get(f"/download/{name}")
        missing = await http.get("/download/20200101_000000_00000000.wav")
        escaping = await http.get("/download/..%2f..%2fetc%2fpasswd")

    assert there.content == (tmp_path / name).read_bytes()
    assert missing.status_code == escaping.status_code == 404


async def test_a_listener_who_leaves_stops_the_work(tmp_path: Path) -> None:
    engine = FakeEngine(hold=threading.Event())
    async with worker(tmp_path, lambda: engine) as http:
        await health_when(http, "idle")
        async with http.stream("POST", "/generate", json=TASK) as answer:
            await anext(answer.aiter_lines())
            busy = (await http.get("/health")).json()
            second = await http.post("/generate", json=TASK)
        await health_when(http, "idle")

    assert (busy["status"], busy["job_id"], busy["phase"]) == ("busy", "job", "backbone")
    assert second.status_code == 409
    assert files_in(tmp_path) == []


async def test_a_worker_that_stops_stops_its_work(tmp_path: Path) -> None:
    engine = FakeEngine(hold=threading.Event())
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(worker(tmp_path, lambda: engine))
        await health_when(http, "idle")
        answer = await stack.enter_async_context(http.stream("POST", "/generate", json=TASK))
        await anext(answer.aiter_lines())
    # Leaving the block waits for the model thread: a track that went on would hang here.
    assert files_in(tmp_path) == []


async def test_an_engine_that_cannot_be_opened_leaves_a_worker_that_says_why(tmp_path: Path) -> None:
    def missing() -> SongEngine:
        raise CheckpointError("backbone/iter_0036000/.metadata", "the file is missing")

    def surprising() -> SongEngine:
        raise ValueError("secret detail")

    async with worker(tmp_path, missing) as http:
        known = await health_when(http, "error")
        refused = await http.post("/generate", json=TASK)
    async with worker(tmp_path, surprising) as http:
        unknown = await health_when(http, "error")

    assert known["error"] == "backbone/iter_0036000/.metadata: the file is missing"
    assert refused.status_code == 409
    assert "secret" not in unknown["error"]
    assert "log" in unknown["error"]


async def test_out_of_memory_fails_the_batch_in_its_own_words(tmp_path: Path) -> None:
    engine = FakeEngine(breakage=DeviceOutOfMemory("The GPU has too little memory left. Use --runtime-mode one_shot."))
    async with worker(tmp_path, lambda: engine) as http:
        await health_when(http, "idle")
        lines = (await http.post("/generate", json=TASK)).text.splitlines()

    ends = [event for event in map(json.loads, lines) if event["type"] == "failed"]
    assert [(event["track"], event["error"]) for event in ends] == [
        (2, "The GPU has too little memory left. Use --runtime-mode one_shot."),
        (3, "The GPU has too little memory left. Use --runtime-mode one_shot."),
    ]


async def test_of_two_tasks_at_once_one_is_begun_and_the_other_refused(tmp_path: Path) -> None:
    hold = threading.Event()
    async with worker(tmp_path, lambda: FakeEngine(hold=hold)) as http:
        await health_when(http, "idle")
        posts = [asyncio.create_task(http.post("/generate", json=TASK)) for _ in range(2)]
        (refused,), (begun,) = await asyncio.wait(posts, return_when=asyncio.FIRST_COMPLETED)
        hold.set()
        answer = await begun

    assert refused.result().status_code == 409
    assert answer.status_code == 200
    assert [json.loads(line)["type"] for line in answer.text.splitlines()].count("finished") == 2


@pytest.mark.parametrize(
    "breakage", [torch.AcceleratorError("CUDA error: secret detail"), EngineLost("a secret rank has ended")]
)
async def test_a_lost_device_fails_the_batch_and_asks_for_a_new_process(tmp_path: Path, breakage: Exception) -> None:
    engine = FakeEngine(breakage=breakage)
    asked: list[str] = []
    artifacts = ArtifactStore(tmp_path)
    async with (
        fake_worker(lambda: engine, artifacts, on_device_lost=lambda: asked.append("restart")) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as http,
    ):
        await health_when(http, "idle")
        lines = (await http.post("/generate", json=TASK)).text.splitlines()
        health = (await http.get("/health")).json()

    ends = [event for event in map(json.loads, lines) if event["type"] == "failed"]
    assert [event["track"] for event in ends] == [2, 3]
    assert "The device failed" in ends[0]["error"]
    assert "secret" not in ends[0]["error"]
    assert health["status"] == "error", "it must not be given another task before it ends"
    assert asked == ["restart"]


def test_a_process_that_ends_itself_does_so_in_order() -> None:
    program = (
        "import signal, sys, threading\n"
        "from backend.workers.lifeline import end_process\n"
        "asked = threading.Event()\n"
        "signal.signal(signal.SIGTERM, lambda *_: asked.set())\n"
        "end_process()\n"
        "sys.exit(0 if asked.wait(4) else 'nobody asked')\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, check=True)


async def test_keep_loaded_opens_every_stage_before_the_worker_is_idle(tmp_path: Path) -> None:
    engine = FakeEngine(runtime_mode=RuntimeMode.KEEP_LOADED)
    async with worker(tmp_path, lambda: engine) as http:
        await health_when(http, "idle")

    assert engine.opened == [Phase.BACKBONE, Phase.SUPERRES, Phase.DECODING]


async def test_health_answers_while_the_engine_loads(tmp_path: Path) -> None:
    may_open = threading.Event()

    def slow() -> SongEngine:
        may_open.wait(20)
        return FakeEngine()

    async with worker(tmp_path, slow) as http:
        loading = await health_when(http, "loading")
        may_open.set()
        await health_when(http, "idle")

    assert loading["phase"] == "loading_backbone"


def test_progress_is_told_four_times_a_second_and_at_every_change_of_phase() -> None:
    moment = 0.0
    told: list[ProgressEvent] = []
    watch = BatchWatch([5], told.append, clock=lambda: moment)

    for step in range(100):
        moment = step * 0.05
        watch.progress(0, Progress(phase=Phase.BACKBONE, fraction=step / 100))
    watch.progress(0, Progress(phase=Phase.SUPERRES))

    assert len(told) == 21
    assert {event.track for event in told} == {5}
    assert told[-1].progress.phase is Phase.SUPERRES


def test_stages_are_measured_a_track_at_a_time() -> None:
    moment = 0.0
    watch = BatchWatch([0, 1], lambda event: None, clock=lambda: moment)

    watch.progress(0, Progress(phase=Phase.BACKBONE))
    watch.progress(1, Progress(phase=Phase.BACKBONE))
    moment = 2.0
    watch.progress(0, Progress(phase=Phase.SUPERRES))
    moment = 5.0

    assert watch.stage_seconds(0) == {"backbone": 2.0, "superres": 3.0}
    assert watch.stage_seconds(1) == {"backbone": 5.0}
