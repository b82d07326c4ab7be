"""POST /generate: what is taken, what is clamped, what is refused, and how that is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.api.body_limit import MAX_BODY_BYTES
from backend.jobs.board import Board, PlacedJob
from core.request import MAX_LYRICS_CHARACTERS, MAX_PROMPT_CHARACTERS, MAX_SEED
from tests.backend.studio import Studio, reception


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Studio]:
    async with reception(tmp_path) as studio:
        yield studio


async def post_raw(studio: Studio, body: str | bytes, content_type: str = "application/json") -> httpx.Response:
    return await studio.api.post("/generate", content=body, headers={"Content-Type": content_type})


async def test_an_empty_body_of_fields_takes_every_published_default(running: Studio) -> None:
    answer = await running.api.post("/generate", json={})

    assert answer.status_code == 200
    body = answer.json()
    published, added = {"status", "job_id", "num_tracks", "queue_position"}, {"warnings"}
    assert set(body) == published | added | {"starts_in_seconds", "finishes_in_seconds"}
    assert (body["status"], body["num_tracks"], body["queue_position"]) == ("queued", 2, 1)
    job = running.store.find(body["job_id"])
    assert job is not None
    request = job.request
    assert (request.mode.value, request.prompt_mode.value, request.duration_minutes) == ("vocal", "tags", 3)
    sampling = request.sampling
    assert (sampling.top_k_backbone, sampling.top_k_superres, sampling.temperature) == (80, 10, 1.0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "karaoke"}, "mode"),
        ({"mode": None}, "mode"),
        ({"prompt_mode": "tag"}, "prompt_mode"),
        ({"lyrics": 7}, "lyrics"),
        ({"lyrics": ["la"]}, "lyrics"),
        ({"lyrics": None}, "lyrics"),
        ({"lyrics": "x" * (MAX_LYRICS_CHARACTERS + 1)}, "lyrics"),
        ({"lyrics": "x" * 1_000_000}, "lyrics"),
        ({"tags": "x" * (MAX_PROMPT_CHARACTERS + 1)}, "tags"),
        ({"prompt": "a\x00b"}, "prompt"),
        ({"duration": "three"}, "duration"),
        ({"duration": True}, "duration"),
        ({"duration": 2.5}, "duration"),
        ({"temperature": "warm"}, "temperature"),
        ({"temperature": False}, "temperature"),
        ({"temperature": "nan"}, "temperature"),
        ({"temperature": "-Infinity"}, "temperature"),
        ({"duration": "1e99999999999999999999"}, "duration"),
        ({"duration": [3]}, "duration"),
        ({"top_k_sr": 0}, "top_k_sr"),
        ({"top_k_sr": 1025}, "top_k_sr"),
        ({"num_tracks": 0}, "num_tracks"),
        ({"num_tracks": 5}, "num_tracks"),
        ({"seed": -1}, "seed"),
        ({"seed": MAX_SEED + 1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"sed": 1}, "sed"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_created(running: Studio, body: dict[str, Any], field: str) -> None:
    answer = await running.api.post("/generate", json=body)

    assert answer.status_code == 422
    said = answer.json()
    assert said["field"] == field
    assert said["error"].startswith(f"{field}: ")
    assert said["error"].endswith(".")
    assert said["detail"][0]["field"] == field
    assert len(answer.content) < 1_000, "the answer must not echo what was sent"
    assert running.store.counts().queued == 0


@pytest.mark.parametrize("body", [{"duration": 3.0}, {"duration": "3"}, {"top_k_bb": 80.0}, {"temperature": "1.0"}])
async def test_numbers_are_taken_as_published_clients_write_them(running: Studio, body: dict[str, Any]) -> None:
    assert (await running.api.post("/generate", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        ({"lyrics": "x" * 1_000_000}, str(MAX_LYRICS_CHARACTERS)),
        ({"top_k_sr": 5000}, "1024"),
        ({"num_tracks": 9}, "4"),
        ({"seed": 2**40}, str(MAX_SEED)),
    ],
)
async def test_a_refusal_names_the_limit(running: Studio, body: dict[str, Any], limit: str) -> None:
    assert limit in (await running.api.post("/generate", json=body)).json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        '{"temperature": NaN}',
        '{"temperature": Infinity}',
        '{"temperature": 1e999}',
        '{"duration": NaN}',
        '{"seed": NaN}',
        '{"lyrics": "\\ud800"}',
        '{"tags": "\\udfff and more"}',
        '{"\\ud800": 1}',
        '{"lyrics": "\\u0000"}',
        "[]",
        "null",
        '"la la"',
        "{",
        "",
        b"\xff\xfe",
        "[" * 100_000,
        '{"duration": ' + "9" * 5_000 + "}",
    ],
)
async def test_what_json_cannot_carry_is_refused_with_a_sentence(running: Studio, body: str | bytes) -> None:
    answer = await post_raw(running, body)

    assert answer.status_code in (400, 422)
    assert answer.json()["error"].endswith(".")
    assert running.store.counts().queued == 0


async def test_a_form_is_answered_with_the_content_type_that_is_needed(running: Studio) -> None:
    answer = await post_raw(running, '{"tags": "Jazz"}', "application/x-www-form-urlencoded")

    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["error"]


async def test_a_huge_body_is_refused_whether_or_not_it_says_how_large_it_is(running: Studio) -> None:
    told = await running.api.post("/generate", json={"lyrics": "x" * MAX_BODY_BYTES})

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 2**20 + 1):
            yield b" " * 2**20

    untold = await running.api.post("/generate", content=pieces(), headers={"Content-Type": "application/json"})

    for answer in (told, untold):
        assert answer.status_code == 413
        assert "16 MiB" in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "warning"),
    [
        ({"duration": 0}, "duration 0 is outside 1–10; 1 is used instead."),
        ({"duration": 99}, "duration 99 is outside 1–10; 10 is used instead."),
        ({"top_k_bb": 0}, "top_k_bb 0 is outside 1–200; 1 is used instead."),
        ({"top_k_bb": 10**30}, "top_k_bb 1e+09 is outside 1–200; 200 is used instead."),
        ({"top_k_bb": str(-(10**30))}, "top_k_bb -1e+09 is outside 1–200; 1 is used instead."),
        ({"duration": "1" + "0" * 400}, "duration 1e+09 is outside 1–10; 10 is used instead."),
        ({"duration": "1" + "0" * 5000}, "duration 1e+09 is outside 1–10; 10 is used instead."),
        ({"duration": 1e19}, "duration 1e+09 is outside 1–10; 10 is used instead."),
        ({"duration": -1e300}, "duration -1e+09 is outside 1–10; 1 is used instead."),
        ({"temperature": "1" + "0" * 400}, "temperature 1e+09 is outside 0.6–1.4; 1.4 is used instead."),
        ({"temperature": 5}, "temperature 5 is outside 0.6–1.4; 1.4 is used instead."),
        ({"temperature": -0.5}, "temperature -0.5 is outside 0.6–1.4; 0.6 is used instead."),
    ],
)
async def test_forgiving_fields_are_clamped_and_the_answer_says_so(
    running: Studio, body: dict[str, Any], warning: str
) -> None:
    answer = await running.api.post("/generate", json={"tags": "Jazz", "lyrics": "la", **body})

    assert answer.status_code == 200
    assert answer.json()["warnings"] == [warning]
    assert (await running.job(answer.json()["job_id"]))["warnings"] == [warning]


async def test_a_number_too_large_for_any_float_is_clamped_too(running: Studio) -> None:
    answer = await post_raw(running, '{"tags": "Jazz", "lyrics": "la", "duration": 1' + "0" * 400 + "}")

    assert answer.status_code == 200
    assert len(answer.json()["warnings"]) == 1


async def test_vocal_mode_without_lyrics_is_taken_with_a_warning(running: Studio) -> None:
    answer = await running.api.post("/generate", json={"tags": "Jazz", "lyrics": "  \n"})

    assert answer.status_code == 200
    assert answer.json()["warnings"] == ["Vocal mode without lyrics: the model will have no words to sing."]


async def test_lyrics_are_ignored_for_an_instrumental_request(running: Studio) -> None:
    body = {"mode": "instrumental", "prompt_mode": "natural", "prompt": "calm", "lyrics": "la la"}
    answer = await running.api.post("/generate", json=body)

    assert answer.json()["warnings"] == []
    assert (await running.job(answer.json()["job_id"]))["cleaned_lyrics"] == ""


async def test_a_seed_belongs_to_the_first_track_and_its_successors_to_the_others(running: Studio) -> None:
    job = await running.job(await running.submit(seed=MAX_SEED, num_tracks=3))

    assert [track["seed"] for track in job["tracks"]] == [MAX_SEED, 0, 1]


async def test_requests_without_a_seed_get_different_ones(running: Studio) -> None:
    seeds = {(await running.job(await running.submit()))["tracks"][0]["seed"] for _ in range(4)}

    assert len(seeds) == 4


async def test_a_job_that_a_worker_took_at_once_is_accepted_though_no_worker_is_idle_any_more(
    running: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Board.find

    async def look_after_a_worker_came(board: Board, job_id: str, **how: bool) -> PlacedJob | None:
        running.queue.claim(0)
        return await look(board, job_id, **how)

    monkeypatch.setattr(Board, "find", look_after_a_worker_came)
    answer = (await running.api.post("/generate", json={"tags": "Jazz"})).json()

    assert (answer["status"], answer["queue_position"]) == ("accepted", 0)


async def test_waiting_jobs_know_their_place(running: Studio) -> None:
    first, second = await running.submit(), await running.submit()

    assert (await running.job(first))["queue_position"] == 1
    assert (await running.job(second))["queue_position"] == 2


async def test_every_path_also_answers_under_api(running: Studio) -> None:
    created = await running.api.post("/api/generate", json={"tags": "Jazz"})

    assert created.status_code == 200
    assert (await running.api.get(f"/api/job/{created.json()['job_id']}")).status_code == 200
