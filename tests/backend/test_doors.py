"""Who may come in, and what is told to whom: API keys, cookies, worker tokens, headers, files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from backend.__main__ import main
from backend.artifacts.store import ArtifactStore
from backend.settings import ServerSettings, SettingUnusable
from backend.workers.client import WorkerClient, WorkerLost
from tests.backend.studio import Studio, dispatching, fake_worker, reception, served, studio
from tests.fakes.engine import FakeEngine

KEY = "correct horse; battery, staple"
OTHER = "another key"
HASHED = "sha256:" + hashlib.sha256(OTHER.encode()).hexdigest()


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[Studio]:
    """An API that asks for one of two keys, one of which it knows by its hash alone."""
    async with reception(tmp_path, server={"api_keys": [KEY, HASHED]}) as studio:
        yield studio


@pytest.mark.parametrize("path", ["/jobs", "/api/jobs", "/job/x", "/status", "/tags", "/metrics", "/docs"])
async def test_without_a_key_nothing_is_told(closed: Studio, path: str) -> None:
    missing = await closed.api.get(path)
    wrong = await closed.api.get(path, headers={"X-API-Key": "wrong"})

    for answer, sentence in ((missing, "needs an API key"), (wrong, "not known here")):
        assert answer.status_code == 401
        assert set(answer.json()) == {"error"}
        assert sentence in answer.json()["error"]
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_every_call_in_the_document_asks_for_a_key_but_for_a_few(closed: Studio) -> None:
    paths = (await closed.api.get("/openapi.json", headers={"X-API-Key": KEY})).json()["paths"]
    opened = set()
    for prefix in ("", "/api"):
        for path, methods in paths.items():
            for method in methods:
                answer = await closed.api.request(method, prefix + path)
                if answer.status_code != 401:
                    opened.add(path)

    assert opened == {"/healthz", "/readyz", "/config", "/session"}


@pytest.mark.parametrize("key", [KEY, OTHER])
async def test_a_key_opens_in_each_of_its_places(closed: Studio, key: str) -> None:
    for headers in ({"Authorization": f"Bearer {key}"}, {"authorization": f"bearer {key}"}, {"X-API-Key": key}):
        assert (await closed.api.get("/jobs", headers=headers)).status_code == 200

    session = await closed.api.post("/session", json={"key": key})
    assert (session.status_code, session.content) == (204, b"")
    cookie = session.headers["set-cookie"].lower()
    assert cookie.startswith("khala_key=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (await closed.api.get("/jobs")).status_code == 200, "the client sends its cookie"
    assert (await closed.api.delete("/session")).status_code == 204
    assert (await closed.api.get("/jobs")).status_code == 401


async def test_a_wrong_key_gets_no_session(closed: Studio) -> None:
    for key in ("wrong", "", HASHED, HASHED.removeprefix("sha256:")):
        answer = await closed.api.post("/session", json={"key": key})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers


async def test_the_page_knows_before_it_has_a_key_that_it_needs_one(closed: Studio, tmp_path: Path) -> None:
    assert (await closed.api.get("/config")).json()["api_key_required"] is True
    async with reception(tmp_path / "open") as opened:
        assert (await opened.api.get("/config")).json()["api_key_required"] is False


async def test_each_key_has_its_own_turn_and_its_own_idempotency(closed: Studio) -> None:
    async def post(key: str) -> str:
        headers = {"X-API-Key": key, "Idempotency-Key": "1"}
        return str((await closed.api.post("/generate", json={"tags": "Jazz"}, headers=headers)).json()["job_id"])

    first, again, other = await post(KEY), await post(KEY), await post(OTHER)
    assert first == again != other
    job = closed.store.find(first)
    assert job is not None
    assert job.client.startswith("key ")
    assert KEY not in job.client


@pytest.mark.parametrize("keys", ["short", "a key with ünicode", "sha256:1234", "good enough,short"])
def test_keys_that_cannot_work_are_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setenv("KHALA_API_KEYS", keys)
    with pytest.raises(SettingUnusable, match="KHALA_API_KEYS") as told:
        ServerSettings()
    assert keys not in str(told.value)


def test_keys_are_separated_by_commas_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHALA_API_KEYS", f"first key, {HASHED},")
    settings = ServerSettings()
    assert settings.api_keys == ["first key", HASHED]
    assert "first key" not in repr(settings)


@pytest.mark.parametrize(
    ("known", "told"), [(KEY.replace(",", ""), "dispatcher: answers, 0 jobs active"), (HASHED, "dispatcher: ready")]
)
async def test_status_looks_in_with_a_key_or_as_far_as_anybody_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], known: str, told: str
) -> None:
    async with (
        fake_worker(FakeEngine, ArtifactStore(tmp_path / "audio")) as worker_url,
        dispatching(tmp_path, [worker_url], server={"api_keys": [known]}) as running,
        served(running.backend.app) as url,
    ):
        await running.until_idle()
        monkeypatch.setenv("API_PORT", url.rpartition(":")[2])
        monkeypatch.setenv("KHALA_API_KEYS", known)
        code = await asyncio.to_thread(main, ["status", "--wait", "5"])

    assert code == 0
    assert told in capsys.readouterr().out


async def test_a_worker_with_a_token_listens_to_nobody_else(tmp_path: Path) -> None:
    async with (
        fake_worker(FakeEngine, ArtifactStore(tmp_path), token="secret token") as url,
        httpx.AsyncClient() as http,
    ):
        for path in ("/health", "/config", "/download/20260101_000000_00000000.wav"):
            assert (await http.get(url + path)).status_code == 401
        assert (await http.post(f"{url}/cancel", json={"job_id": "x", "tracks": []})).status_code == 401
        assert (await WorkerClient(http, url, silence_seconds=5, token="secret token").health()).worker_id == 0
        with pytest.raises(WorkerLost):
            await WorkerClient(http, url, silence_seconds=5, token="wrong token").health()


def test_a_worker_for_other_machines_needs_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KHALA_WORKER_HOST", "0.0.0.0")

    assert main(["worker", "--gpu", "cpu"]) == 1
    assert "set KHALA_WORKER_TOKEN too" in capsys.readouterr().err


async def test_every_answer_tells_the_browser_to_be_careful(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        job_id = await running.submit(num_tracks=1)
        await running.finished(job_id)
        for path in ("/", "/jobs", "/job/unknown", f"/job/{job_id}/track/0/wav", "/nothing"):
            headers = (await running.api.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "content-security-policy" not in (await running.api.get("/docs")).headers


async def test_a_bad_range_is_a_416_in_the_apis_own_words(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        job_id = await running.submit(num_tracks=1)
        await running.finished(job_id)
        path = f"/job/{job_id}/track/0/wav"
        size = (await running.api.head(path)).headers["content-length"]
        for wrong in ("bytes=99999999-", "bytes=5-2", "bytes=x-y", "lines=1-2", "bytes="):
            answer = await running.api.get(path, headers={"Range": wrong})
            assert answer.status_code == 416, wrong
            assert answer.headers["content-range"] == f"bytes */{size}"
            assert answer.json()["error"].startswith("The Range header asks for bytes")


async def test_a_file_that_is_known_is_not_sent_again(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine()) as running:
        job_id = await running.submit(num_tracks=1)
        await running.finished(job_id)
        path = f"/job/{job_id}/track/0/mp3"
        whole = await running.api.get(path)
        tag = whole.headers["etag"]
        for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            known = await running.api.get(path, headers={"If-None-Match": header})
            assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
        changed = await running.api.get(path, headers={"If-None-Match": '"other"'})
        resumed = await running.api.get(path, headers={"Range": "bytes=2-4", "If-Range": tag})
        restarted = await running.api.get(path, headers={"Range": "bytes=2-4", "If-Range": '"other"'})

    assert (changed.status_code, changed.content) == (200, whole.content)
    assert (resumed.status_code, resumed.content) == (206, whole.content[2:5])
    assert (restarted.status_code, restarted.content) == (200, whole.content)


async def test_browsers_that_may_call_hear_of_a_missing_key_too(tmp_path: Path) -> None:
    origin = "http://elsewhere.example"
    async with reception(tmp_path, server={"api_keys": [KEY], "cors_origins": [origin]}) as running:
        refused = await running.api.get("/jobs", headers={"Origin": origin})
        asked = await running.api.options("/jobs", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})

    assert refused.status_code == 401
    assert asked.status_code == 200
    for answer in (refused, asked):
        assert answer.headers["access-control-allow-origin"] == origin
