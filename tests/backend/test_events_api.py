"""GET /job/{id}/events: a job as a stream, from a real server, because it must end and be resumed like one."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.api.events import _prospects
from backend.jobs.board import PlacedJob
from backend.jobs.forecast import Outlook
from tests.backend.jobs import new_job
from tests.backend.studio import Studio, served, studio
from tests.fakes.engine import FakeEngine


@asynccontextmanager
async def over_http(running: Studio) -> AsyncIterator[httpx.AsyncClient]:
    async with served(running.backend.app) as url, httpx.AsyncClient(base_url=url, timeout=20) as http:
        yield http


async def messages(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """Each message as its fields, its data read as JSON."""
    fields: dict[str, Any] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = json.loads(value) if name == "data" else value
        elif fields:
            yield fields
            fields = {}


async def test_a_job_is_followed_to_its_end_and_then_the_stream_closes(tmp_path: Path) -> None:
    hold = threading.Event()
    async with studio(tmp_path, FakeEngine(hold=hold)) as running, over_http(running) as http:
        job_id = await running.submit(num_tracks=1)
        async with http.stream("GET", f"/job/{job_id}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            told = []
            async for message in messages(answer):
                told.append(message)
                if message["data"]["tracks"][0]["worker_phase"] == "backbone":
                    hold.set()
        final = (await http.get(f"/job/{job_id}")).json()

    assert {message["event"] for message in told} == {"job"}
    assert told[-1]["data"] == final
    assert final["status"] == "completed"
    ids = [int(message["id"]) for message in told]
    assert ids == sorted(ids)
    progress = [message["data"]["tracks"][0]["progress"] for message in told]
    assert progress == sorted(progress)


async def test_a_stream_is_resumed_without_telling_anything_twice(tmp_path: Path) -> None:
    hold = threading.Event()
    async with studio(tmp_path, FakeEngine(hold=hold)) as running, over_http(running) as http:
        job_id = await running.submit(num_tracks=1)
        await running.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        async with http.stream("GET", f"/job/{job_id}/events") as answer:
            seen = await anext(messages(answer))
        async with http.stream("GET", f"/job/{job_id}/events", headers={"Last-Event-ID": seen["id"]}) as answer:
            hold.set()
            resumed = [message async for message in messages(answer)]
        async with http.stream("GET", f"/job/{job_id}/events", headers={"Last-Event-ID": "1"}) as answer:
            late = [message async for message in messages(answer)]

    ids = [int(seen["id"]), *(int(message["id"]) for message in resumed)]
    assert ids == sorted(set(ids))
    assert resumed[-1]["data"]["status"] == "completed"
    assert [message["data"] for message in late] == [resumed[-1]["data"]]


async def test_who_follows_a_waiting_job_hears_of_its_place(tmp_path: Path) -> None:
    async with studio(tmp_path) as running, over_http(running) as http:
        first, second = await running.submit(), await running.submit()
        async with http.stream("GET", f"/job/{second}/events") as answer:
            places = []
            async for message in messages(answer):
                places.append(message["data"]["queue_position"])
                if places == [2]:
                    await running.api.delete(f"/job/{first}")
                elif len(places) == 2:
                    await running.api.delete(f"/job/{second}")

    assert places == [2, 1, 0]


async def test_who_follows_a_waiting_job_hears_why_it_is_not_begun(tmp_path: Path) -> None:
    async with studio(tmp_path) as running, over_http(running) as http:
        job_id = await running.submit(num_tracks=1)
        async with http.stream("GET", f"/job/{job_id}/events") as answer:
            told = []
            async for message in messages(answer):
                told.append(message["data"]["tracks"][0]["phase_display"])
                if len(told) == 1:
                    running.pool.held_up = "The disk is nearly full."
                elif len(told) == 2:
                    await running.api.delete(f"/job/{job_id}")

    assert "nearly full" not in told[0]
    assert told[1].endswith("The disk is nearly full.")


def test_an_estimate_is_told_again_when_it_has_moved() -> None:
    told = [_prospects(PlacedJob(job=new_job(), outlook=Outlook(starts_in_seconds=left))) for left in (62, 58, 40)]
    assert told[0] == told[1] != told[2]


async def test_a_removed_job_ends_its_stream(tmp_path: Path) -> None:
    async with studio(tmp_path) as running, over_http(running) as http:
        job_id = await running.submit()
        async with http.stream("GET", f"/job/{job_id}/events") as answer:
            stream = messages(answer)
            await anext(stream)
            await running.api.delete(f"/job/{job_id}")
            last = [message["data"]["status"] async for message in stream]

    assert last == ["cancelled"]


async def test_a_silent_stream_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.05)
    async with studio(tmp_path) as running, over_http(running) as http:
        job_id = await running.submit()
        async with http.stream("GET", f"/job/{job_id}/events") as answer:
            comments = 0
            async for line in answer.aiter_lines():
                comments += line.startswith(":")
                if comments == 2:
                    break

    assert comments == 2


async def test_a_dispatcher_that_stops_sends_those_who_follow_away(tmp_path: Path) -> None:
    async with studio(tmp_path) as running, over_http(running) as http:
        job_id = await running.submit()
        async with http.stream("GET", f"/job/{job_id}/events") as answer:
            stream = messages(answer)
            await anext(stream)
            await running.backend.drain()
            assert [message async for message in stream] == []
