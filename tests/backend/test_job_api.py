"""GET /job and the files of its tracks, as published (contract section 7)."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from backend.api.file_name import file_name
from core.errors import Mp3EncodingFailed
from core.request import GenerationRequest, Mode
from tests.backend.jobs import new_job
from tests.backend.studio import studio
from tests.fakes.engine import FakeEngine

TRACK_FIELDS = ["index", "status", "progress", "phase_display", "worker_id", "worker_phase", "duration_sec", "error"]
JOB_FIELDS = ["job_id", "status", "queue_position", "cleaned_lyrics", "created_at", "tracks"]
METADATA_FIELDS = [
    "file_id",
    "superres_text_mode",
    "raw_user_input",
    "raw_mode",
    "raw_prompt_mode",
    "model_genre",
    "model_language",
    "model_tags",
    "model_description",
    "duration_min",
    "lyrics",
    "backbone_name",
    "superres_name",
    "top_k_bb",
    "top_k_sr",
    "temperature",
    "gpu_id",
    "seed",
    "backbone_tokens",
    "duration_sec",
    "wav_file",
    "mp3_file",
    "created_at",
]


async def test_a_finished_job_has_the_published_shape(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine(frames=12)) as running:
        job = await running.finished(await running.submit(lyrics="“夜”，\nla", seed=7))

    assert [name for name in job if name in JOB_FIELDS] == JOB_FIELDS
    assert job["status"] == "completed"
    assert job["queue_position"] == 0
    assert job["cleaned_lyrics"] == '"夜",\nla'
    for index, track in enumerate(job["tracks"]):
        assert [name for name in track if name in TRACK_FIELDS] == TRACK_FIELDS
        assert {name: track[name] for name in TRACK_FIELDS} == {
            "index": index,
            "status": "done",
            "progress": 100,
            "phase_display": "Done",
            "worker_id": 0,
            "worker_phase": "idle",
            "duration_sec": round(12 * 2048 / 44_100, 6),
            "error": None,
        }
        assert track["warning"] is None
        assert track["seed"] == 7 + index


async def test_a_running_track_says_in_words_what_it_does(tmp_path: Path) -> None:
    hold = threading.Event()
    async with studio(tmp_path, FakeEngine(hold=hold)) as running:
        await running.until_idle()
        answer = (await running.api.post("/generate", json={"tags": "Jazz"})).json()
        assert (answer["status"], answer["queue_position"]) == ("accepted", 0)

        job = await running.job_when(answer["job_id"], lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        hold.set()

    assert job["status"] == "generating"
    track = job["tracks"][0]
    assert track["status"] == "generating"
    assert track["phase_display"] == "Backbone generating · 0% · 0 tok/s · 0 tokens"
    assert 0 < track["progress"] < 100


async def test_an_unknown_job_is_a_404_with_a_sentence(tmp_path: Path) -> None:
    async with studio(tmp_path) as running:
        for path in ("/job/unknown", "/job/unknown/track/0/mp3", "/job/%00/track/0/wav"):
            answer = await running.api.get(path)
            assert answer.status_code == 404
            assert answer.json() == {"error": "There is no job with this id."}


async def test_files_come_with_their_type_their_name_and_byte_ranges(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        job_id = await running.submit(num_tracks=1, title="Rain / on the window")
        await running.finished(job_id)
        for ending, media_type in (("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("json", "application/json")):
            whole = await running.api.get(f"/job/{job_id}/track/0/{ending}")
            assert whole.status_code == 200
            assert whole.headers["content-type"] == media_type
            assert whole.headers["content-disposition"] == f"inline; filename*=utf-8''Rain%20on%20the%20window.{ending}"
            assert whole.headers["accept-ranges"] == "bytes"
            assert whole.headers["etag"]

            head = await running.api.head(f"/job/{job_id}/track/0/{ending}")
            assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))
            part = await running.api.get(f"/job/{job_id}/track/0/{ending}", headers={"Range": "bytes=10-19"})
            assert part.status_code == 206
            assert part.content == whole.content[10:20]
            beyond = await running.api.get(f"/job/{job_id}/track/0/{ending}", headers={"Range": "bytes=99999999-"})
            assert beyond.status_code == 416


async def test_the_metadata_has_every_published_field_and_can_be_posted_back(tmp_path: Path) -> None:
    engine = FakeEngine()
    async with studio(tmp_path, engine) as running:
        job_id = await running.submit(seed=7, temperature=0.8, top_k_sr=3, duration=2)
        await running.finished(job_id)
        metadata = (await running.api.get(f"/job/{job_id}/track/1/json")).json()
        wav = (await running.api.get(f"/job/{job_id}/track/1/wav")).content

        again = await running.api.post("/generate", json=metadata["request"])
        repeated = await running.finished(again.json()["job_id"])
        wav_again = (await running.api.get(f"/job/{repeated['job_id']}/track/0/wav")).content

    assert [name for name in metadata if name in METADATA_FIELDS] == METADATA_FIELDS
    assert metadata["seed"] == 8
    assert metadata["gpu_id"] == "cpu"
    assert metadata["model_tags"] == "Lo-fi"
    assert metadata["backbone_tokens"] == 24
    assert (metadata["job_id"], metadata["track_index"]) == (job_id, 1)
    assert {"backbone", "superres", "decoding"} <= set(metadata["stage_seconds"])
    assert engine.batches == [[7, 8], [8]]
    assert wav_again == wav


async def test_an_untrained_model_says_so_in_the_metadata_and_the_status(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine(trained=False)) as running:
        await running.finished(await running.submit(num_tracks=1))
        (written,) = (tmp_path / "audio").glob("*.json")
        status = (await running.api.get("/status")).json()
        config = (await running.api.get("/config")).json()

    metadata = json.loads(written.read_text(encoding="utf-8"))
    assert metadata["trained"] is False
    assert metadata["warnings"][0].startswith("untrained")
    assert status["untrained"] is True
    assert config["untrained"] is True


async def test_a_track_that_is_not_ready_is_a_404_and_one_that_is_not_there_a_400(tmp_path: Path) -> None:
    async with studio(tmp_path) as running:
        job_id = await running.submit()
        waiting = await running.api.get(f"/job/{job_id}/track/1/mp3")
        beyond = await running.api.get(f"/job/{job_id}/track/2/wav")
        negative = await running.api.get(f"/job/{job_id}/track/-1/json")
        nonsense = await running.api.get(f"/job/{job_id}/track/first/mp3")

    assert waiting.status_code == 404
    assert waiting.json() == {"error": "This track is not ready: it is queued."}
    assert beyond.status_code == negative.status_code == 400
    assert beyond.json() == {"error": "This job has tracks 0 to 1."}
    assert nonsense.status_code == 422
    assert nonsense.json()["field"] == "index"


async def test_a_removed_file_is_a_404_with_a_sentence(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        job_id = await running.submit(num_tracks=1)
        await running.finished(job_id)
        for file in (tmp_path / "audio").iterdir():
            file.unlink()
        answer = await running.api.get(f"/job/{job_id}/track/0/wav")

    assert answer.status_code == 404
    assert "removed" in answer.json()["error"]


async def test_the_shape_of_a_track_is_that_of_its_wav(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        job_id = await running.submit(num_tracks=1)
        await running.finished(job_id)
        answer = await running.api.get(f"/job/{job_id}/track/0/waveform")
        wav = (await running.api.get(f"/job/{job_id}/track/0/wav")).content

    samples, _ = soundfile.read(io.BytesIO(wav), always_2d=True)
    peaks = answer.json()["peaks"]
    assert max(peaks) == pytest.approx(np.abs(samples).max(), abs=1e-3)
    assert "max-age" in answer.headers["cache-control"]


async def test_a_failed_mp3_leaves_the_wav_and_says_so(tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise Mp3EncodingFailed("The MP3 could not be made.")

    async with studio(tmp_path, FakeEngine(), encode_mp3=broken) as running:
        job_id = await running.submit(num_tracks=1)
        job = await running.finished(job_id)
        mp3 = await running.api.get(f"/job/{job_id}/track/0/mp3")
        wav = await running.api.get(f"/job/{job_id}/track/0/wav")
        metadata = (await running.api.get(f"/job/{job_id}/track/0/json")).json()

    warning = "The MP3 could not be made. The WAV of this track is complete."
    assert job["status"] == "completed"
    assert (job["tracks"][0]["status"], job["tracks"][0]["error"]) == ("done", None)
    assert (job["tracks"][0]["warning"], job["tracks"][0]["has_mp3"]) == (warning, False)
    assert mp3.status_code == 404
    assert mp3.json() == {"error": warning}
    assert wav.content.startswith(b"RIFF")
    assert metadata["mp3_file"] is None
    assert metadata["warnings"] == [warning]
    assert not list((tmp_path / "audio").glob("*.mp3"))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"title": " Late train. "}, "Late train"),
        ({"title": "..", "tags": "Jazz"}, "Khala"),
        ({"lyrics": "[Verse]\n\nIt rains\nagain", "tags": "Jazz", "mode": Mode.VOCAL}, "It rains"),
        ({"tags": "Jazz, Piano"}, "Jazz, Piano"),
        ({"tags": 'a<b>:"c"/d\\e|f?g*'}, "a b c d e f g"),
        ({"tags": "x" * 200}, "x" * 59 + "…"),
        ({}, "Khala"),
    ],
)
def test_a_file_is_called_what_people_call_the_song(asked: dict[str, Any], expected: str) -> None:
    title = str(asked.get("title", ""))
    request = GenerationRequest(
        **{"mode": Mode.INSTRUMENTAL} | {name: asked[name] for name in asked if name != "title"}
    )
    job = new_job(request=request, tracks=1, title=title)
    assert file_name(job, job.tracks[0], "mp3") == f"{expected}.mp3"
    pair = replace(job, tracks=(*job.tracks, replace(job.tracks[0], index=1)))
    assert file_name(pair, pair.tracks[1], "wav") == f"{expected} 2.wav"
