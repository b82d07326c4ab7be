"""What operators see: metrics, readiness, lines of the log."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from backend.artifacts.store import ArtifactStore
from backend.logs import JsonLines, TextLines, log_job
from tests.backend.studio import dispatching, fake_worker, studio
from tests.fakes.engine import FakeEngine


async def test_the_metrics_tell_what_happened(tmp_path: Path) -> None:
    async with studio(tmp_path, FakeEngine(silent_seeds=[8])) as running:
        await running.finished(await running.submit(seed=7))
        await running.until_idle()
        answer = await running.api.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = answer.text.splitlines()
    for line in (
        'khala_jobs{state="queued"} 0.0',
        'khala_workers{state="idle"} 1.0',
        'khala_tracks_ended_total{outcome="done"} 1.0',
        'khala_tracks_ended_total{outcome="failed"} 1.0',
        'khala_phase_seconds_count{phase="superres"} 1.0',
    ):
        assert line in told


async def test_ready_means_that_a_worker_has_its_models(tmp_path: Path) -> None:
    may_open = threading.Event()

    def slow() -> FakeEngine:
        may_open.wait(20)
        return FakeEngine()

    async with (
        fake_worker(slow, ArtifactStore(tmp_path / "audio")) as url,
        dispatching(tmp_path, [url]) as running,
    ):
        loading = await running.api.get("/readyz")
        may_open.set()
        await running.until_idle()
        ready = await running.api.get("/readyz")

    assert loading.status_code == 503
    assert loading.json()["error"].startswith("The workers are still")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok"})


def test_a_line_of_the_log_names_its_job() -> None:
    def record(message: str) -> logging.LogRecord:
        return logging.LogRecord("backend.x", logging.WARNING, "x.py", 1, message, (), None)

    with log_job("abc"):
        plain, named = TextLines().format(record("it rains")), TextLines().format(record("job abc: it rains"))
        line = json.loads(JsonLines().format(record("it rains\nhard")))
    outside = json.loads(JsonLines().format(record("it rains")))

    assert plain.endswith("backend.x: it rains [job abc]")
    assert named.endswith("job abc: it rains")
    assert (line["job_id"], line["level"], line["message"]) == ("abc", "warning", "it rains\nhard")
    assert outside["job_id"] is None
