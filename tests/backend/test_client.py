"""The Python client against the real application over a real socket: submit, follow, fetch, and what goes wrong."""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.api.job_schemas import JobAnswer
from backend.cli.generate import add_arguments, run
from backend.client import AsyncKhala, Khala, Refused, Unreachable
from backend.client.wire import Stream
from core.job import JobStatus
from tests.backend.studio import Studio, served, studio
from tests.fakes.engine import FakeEngine

SONG: dict[str, Any] = {"tags": "Jazz", "mode": "instrumental", "duration": 1}


@asynccontextmanager
async def server(folder: Path, engine: FakeEngine) -> AsyncIterator[tuple[str, Studio]]:
    async with studio(folder, engine) as running, served(running.backend.app) as url:
        yield url, running


async def test_songs_are_asked_for_followed_and_fetched(tmp_path: Path) -> None:
    heard: list[JobAnswer] = []
    async with server(tmp_path, FakeEngine()) as (url, _), AsyncKhala(url) as khala:
        accepted = await khala.submit(**SONG, seed=7)
        job = await khala.wait(accepted.job_id, on_progress=heard.append)
        paths = await khala.download(job, tmp_path / "songs")
        history = await khala.jobs(text="jazz")
        config, status = await khala.config(), await khala.status()

    assert job.status is JobStatus.COMPLETED
    assert heard[-1].status is JobStatus.COMPLETED
    assert sorted(path.suffix for path in paths) == [".json", ".json", ".mp3", ".mp3", ".wav", ".wav"]
    assert all(path.stat().st_size for path in paths)
    assert {json.loads(path.read_text())["seed"] for path in paths if path.suffix == ".json"} == {7, 8}
    assert sorted(path.name for path in (tmp_path / "songs").iterdir()) == sorted(path.name for path in paths)
    assert [job.job_id for job in history.jobs] == [accepted.job_id]
    assert config.checkpoint
    assert status.workers


async def test_the_blocking_client_does_the_same(tmp_path: Path) -> None:
    def use(url: str) -> tuple[JobAnswer, list[Path]]:
        with Khala(url) as khala:
            job = khala.wait(khala.submit(**SONG, num_tracks=1).job_id)
            return job, khala.download(job, tmp_path / "songs", kinds=["wav"])

    async with server(tmp_path, FakeEngine()) as (url, _):
        job, paths = await asyncio.to_thread(use, url)
    assert job.status is JobStatus.COMPLETED
    assert [path.name for path in paths] == [f"{job.job_id}-0.wav"]


async def test_a_submission_sent_twice_is_one_job(tmp_path: Path) -> None:
    async with server(tmp_path, FakeEngine()) as (url, _), AsyncKhala(url) as khala:
        first, second = [await khala.submit(**SONG, seed=1, idempotency_key="once") for _ in range(2)]
    assert first.job_id == second.job_id


async def test_a_cancelled_job_ends_and_is_retried(tmp_path: Path) -> None:
    hold = threading.Event()
    async with server(tmp_path, FakeEngine(hold=hold)) as (url, running), AsyncKhala(url) as khala:
        accepted = await khala.submit(**SONG)
        await running.job_when(accepted.job_id, lambda job: job["status"] == "generating")
        await khala.cancel(accepted.job_id)
        assert (await khala.wait(accepted.job_id)).status is JobStatus.CANCELLED
        hold.set()
        await khala.retry(accepted.job_id)
        assert (await khala.wait(accepted.job_id)).status is JobStatus.COMPLETED


async def test_a_refusal_comes_with_its_sentence(tmp_path: Path) -> None:
    async with server(tmp_path, FakeEngine()) as (url, _), AsyncKhala(url) as khala:
        with pytest.raises(Refused, match="There is no job with this id") as refused:
            await khala.wait("unknown")
        assert refused.value.status == 404
    with pytest.raises(Unreachable, match="Is Khala running there"), Khala(url) as gone:
        gone.status()


def test_another_program_at_the_address_is_told_apart() -> None:
    stranger = httpx.MockTransport(lambda request: httpx.Response(200, text="hello"))
    with pytest.raises(Unreachable, match="answered by another program"), Khala("http://it", transport=stranger) as it:
        it.status()


def test_a_server_that_is_busy_for_now_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.client.synchronous.RECONNECT_SECONDS", 0.01)
    asked: list[httpx.Request] = []

    def busy(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503, headers={"Retry-After": "2"}, json={"error": "The store does not answer."})

    with (
        Khala("http://it", transport=httpx.MockTransport(busy)) as it,
        pytest.raises(Refused, match="The store does not answer") as refused,
    ):
        it.wait("job", patience_seconds=0.1)
    assert (refused.value.status, refused.value.retry_after) == (503, 2)
    assert len(asked) > 1


def test_a_broken_stream_is_taken_up_where_it_ended(tmp_path: Path) -> None:
    stream = Stream()
    assert stream.headers() == {}
    assert stream.job("id: 41") is None
    assert stream.job(": heartbeat") is None
    assert stream.headers() == {"Last-Event-ID": "41"}


async def test_the_command_makes_songs_by_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    async with server(tmp_path, FakeEngine(silent_seeds=[6])) as (url, _):
        asked = ["--server", url, "--tags", "Jazz", "--mode", "instrumental", "--out", str(tmp_path / "songs")]
        options = parser.parse_args([*asked, "--seed", "5"])
        code = await asyncio.to_thread(run, options)
    printed = capsys.readouterr()
    assert code == 1, "the second track failed"
    assert [Path(line).suffix for line in printed.out.splitlines()] == [".mp3", ".wav", ".json"]
    assert "Track 1:" in printed.err
