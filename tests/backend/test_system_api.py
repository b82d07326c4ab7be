"""/tags, /status, /config, the page at /, and the OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from backend.artifacts.store import ArtifactStore
from backend.bootstrap import build_backend
from backend.jobs.store import JobStore
from backend.settings import PROJECT_ROOT, ServerSettings, Settings
from core.errors import CheckpointError
from tests.backend.studio import dispatching, fake_worker, reception, settings_in, studio, until
from tests.fakes.engine import FakeEngine

PUBLISHED_TAGS = {
    "genre_style": (
        "J-Pop, Lo-fi, Cinematic, EDM, Hip-hop, Synthwave, Ballad, Anime, Mandopop, R&B, Jazz, Classical, Chiptune"
    ),
    "vocal_instrument": (
        "Male Vocals, Female Vocals, Harmonized Vocals, Choir, Duet, Vocal Chops, Piano, Solo Piano, Electric Guitar, "
        "Distorted Guitar, Acoustic Guitar, Synth Bass, 808 Bass, Sub-bass, Heavy Bass, Synth Lead, Synth Pads, "
        "Strings, Brass, Cello, Guzheng, Electronic Drums, Drum Machine, Percussion, Instrumental"
    ),
    "emotion_mood": "Melancholic, Nostalgic, Uplifting, Atmospheric, Anthemic, Dreamy",
    "production_other": (
        "Slow Tempo, 128 BPM, Reverb, Wide Stereo, Lo-fi Hiss, Sidechain Compression, Four-on-the-floor, "
        "Vinyl Crackle, Tape Hiss, Modern Production"
    ),
}


def app_client(settings: Settings) -> httpx.AsyncClient:
    app = build_backend(settings).app
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://studio")


async def test_tags_come_in_four_bilingual_categories_with_every_published_one(tmp_path: Path) -> None:
    async with app_client(settings_in(tmp_path)) as api:
        categories = (await api.get("/tags")).json()

    assert list(categories) == list(PUBLISHED_TAGS)
    assert categories["genre_style"]["label"] == "流派/风格 (Genre/Style)"
    for name, published in PUBLISHED_TAGS.items():
        assert set(categories[name]) == {"label", "tags"}
        assert "(" in categories[name]["label"]
        assert set(published.split(", ")) <= set(categories[name]["tags"])
        assert 33 <= len(categories[name]["tags"]) <= 70
    every = [tag.lower() for category in categories.values() for tag in category["tags"]]
    assert len(every) == len(set(every))
    assert 190 <= len(every) <= 220


async def test_status_has_the_published_shape(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine(), FakeEngine()) as running:
        await running.until_idle(2)
        status = (await running.api.get("/status")).json()

    assert {name: status[name] for name in ("total_gpus", "idle_gpus", "active_jobs", "queued_jobs")} == {
        "total_gpus": 2,
        "idle_gpus": 2,
        "active_jobs": 0,
        "queued_jobs": 0,
    }
    for worker_id, worker in enumerate(status["workers"]):
        assert worker["url"].startswith("http://127.0.0.1:")
        del worker["url"]
        assert worker == {
            "worker_id": worker_id,
            "status": "idle",
            "phase": "idle",
            "gpu_id": "cpu",
            "loaded": True,
            "error": None,
        }


async def test_a_worker_that_cannot_load_says_why_and_jobs_wait_for_it(tmp_path: Path) -> None:
    def broken() -> FakeEngine:
        raise CheckpointError("backbone", "the file is truncated")

    async with (
        fake_worker(broken, ArtifactStore(tmp_path / "audio")) as url,
        dispatching(tmp_path, [url]) as running,
    ):
        await until(lambda: any(worker.error for worker in running.pool.workers))
        job_id = await running.submit()
        status = (await running.api.get("/status")).json()
        job = await running.job(job_id)

    assert job["tracks"][0]["phase_display"] == "Queued · backbone: the file is truncated"
    assert status["workers"][0]["status"] == "offline"
    assert status["workers"][0]["error"] == "backbone: the file is truncated"
    assert status["queued_jobs"] == 1
    assert job["status"] == "queued"


async def test_config_tells_models_and_limits(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        await running.until_idle()
        config = (await running.api.get("/config")).json()

    assert config["engine"]["checkpoint"] == "fake"
    assert config["fc1_bias"] == "once"
    assert config["untrained"] is False
    assert config["runtime_mode"] == "one_shot"
    assert config["limits"]["duration"] == {"low": 1, "high": 10, "default": 3, "clamped": True}
    assert config["limits"]["top_k_sr"] == {"low": 1, "high": 1024, "default": 10, "clamped": False}


async def test_before_a_worker_answers_config_does_not_guess(tmp_path: Path) -> None:
    async with app_client(settings_in(tmp_path)) as api:
        config = (await api.get("/config")).json()

    assert config["engine"] is None
    assert config["untrained"] is None


async def test_without_a_built_page_the_root_explains_itself(tmp_path: Path) -> None:
    async with app_client(settings_in(tmp_path)) as api:
        page = await api.get("/")

    assert page.headers["content-type"].startswith("text/html")
    assert "curl -X POST http://studio/generate" in page.text
    assert 'href="docs"' in page.text


async def test_a_built_page_is_served_with_its_assets_and_its_own_paths(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>page</title>")
    (dist / "assets" / "app.js").write_text("run()")
    (tmp_path / "secret").write_text("secret")
    async with app_client(settings_in(tmp_path)) as api:
        for path in ("/", "/library/42", "/settings"):
            assert (await api.get(path)).text == "<title>page</title>"
        asset = await api.get("/assets/app.js")
        assert asset.text == "run()"
        assert "immutable" in asset.headers["cache-control"]
        assert (await api.get("/library/42")).headers["cache-control"] == "no-cache"
        for path in ("/job/x/y", "/api/nothing", "/status/more", "/assets/of-an-older-page.js"):
            answer = await api.get(path)
            assert answer.status_code == 404
            assert answer.json()["error"]
        assert "genre_style" in (await api.get("/tags")).json()
        for path in ("/../secret", "/assets/%2e%2e/%2e%2e/secret", "/assets/..%2f..%2fsecret"):
            assert "secret" not in (await api.get(path)).text


async def test_browsers_from_elsewhere_are_not_let_in_unless_named(tmp_path: Path) -> None:
    elsewhere = {"Origin": "http://elsewhere.example"}
    async with app_client(settings_in(tmp_path)) as api:
        closed = await api.get("/tags", headers=elsewhere)
    named = settings_in(tmp_path).model_copy(
        update={"server": ServerSettings(cors_origins=["http://elsewhere.example"])}
    )
    async with app_client(named) as api:
        opened = await api.get("/tags", headers=elsewhere)

    assert "access-control-allow-origin" not in closed.headers
    assert opened.headers["access-control-allow-origin"] == "http://elsewhere.example"


async def test_a_bug_is_a_500_without_a_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(store: JobStore, job_id: str) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(JobStore, "find", bug)
    async with reception(tmp_path) as running:
        answer = await running.api.get("/job/any")

    assert answer.status_code == 500
    assert answer.json() == {"error": "Something went wrong inside; the server's log has the details."}


async def test_a_store_that_does_not_answer_is_a_503_that_says_so(tmp_path: Path) -> None:
    backend = build_backend(settings_in(tmp_path))
    transport = httpx.ASGITransport(backend.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://studio") as api:
        # The store was never opened, so its tables are not there.
        answer = await api.get("/job/any")
        ready = await api.get("/readyz")
        alive = await api.get("/healthz")

    assert answer.status_code == ready.status_code == 503
    assert answer.json()["error"].startswith("The job store does not answer")
    assert ready.json()["error"].startswith("The job store does not answer")
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})


def test_the_committed_openapi_document_is_current(tmp_path: Path) -> None:
    committed = json.loads((PROJECT_ROOT / "openapi.json").read_text(encoding="utf-8"))

    assert committed == build_backend(settings_in(tmp_path)).app.openapi(), (
        "openapi.json is out of date; run: python -m backend openapi > openapi.json"
    )
