"""``backend doctor``: what is well is said to be, and each thing that is not comes with the step that mends it."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.__main__ import main
from backend.artifacts.store import ArtifactStore
from backend.doctor.finding import Finding, Verdict
from backend.doctor.machine import check_machine, check_ports
from backend.doctor.models import check_models
from backend.settings import JobSettings, ModelSettings, PathSettings, ServerSettings, Settings
from core.engine import RuntimeMode
from tests.backend.studio import fake_worker
from tests.fakes.engine import FakeEngine


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        paths=PathSettings(output_dir=tmp_path / "audio", logs_dir=tmp_path / "logs", checkpoints=tmp_path / "none"),
        jobs=JobSettings(database_url=f"sqlite:///{tmp_path / 'jobs' / 'jobs.sqlite3'}", min_free_gb=0),
    )


def by_name(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def verdict_of(findings: Iterator[Finding], name: str) -> tuple[Verdict, str]:
    finding = by_name(findings)[name]
    assert (finding.verdict is Verdict.OK) == (finding.next_step == "")
    return finding.verdict, finding.line()


def test_a_good_machine_has_no_problem(settings: Settings) -> None:
    found = by_name(check_machine(settings))
    assert not [finding for finding in found.values() if finding.verdict is Verdict.PROBLEM]
    assert found["ffmpeg"].text.startswith("ffmpeg version")
    assert {"Python", "clock", "folder of songs", "folder of logs", "folder of job store", "disk", "web page"} <= set(
        found
    )


def test_a_folder_that_cannot_be_written_to_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "audio").write_text("a file in the way")
    verdict, line = verdict_of(check_machine(settings), "folder of songs")
    assert verdict is Verdict.PROBLEM
    assert str(tmp_path / "audio") in line


def test_a_full_disk_and_a_nearly_full_one_are_told_apart(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage._replace(free=2_000_000_000))
    assert verdict_of(check_machine(settings), "disk")[0] is Verdict.WARNING
    strict = settings.model_copy(update={"jobs": settings.jobs.model_copy(update={"min_free_gb": 5.0})})
    verdict, line = verdict_of(check_machine(strict), "disk")
    assert verdict is Verdict.WARNING, "the server must start: it is what removes old songs"
    assert "KHALA_MIN_FREE_GB=5" in line


def test_a_clock_that_is_behind_is_seen(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert verdict_of(check_machine(settings), "clock")[0] is Verdict.WARNING


def test_a_missing_ffmpeg_costs_only_the_mp3(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise RuntimeError("No ffmpeg exe could be found")

    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", missing)
    verdict, line = verdict_of(check_machine(settings), "ffmpeg")
    assert verdict is Verdict.WARNING
    assert "WAV files only" in line


def test_a_taken_port_is_a_problem_unless_khala_itself_listens(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = ServerSettings(api_port=taken.getsockname()[1], worker_base_port=1024)
        verdict, line = verdict_of(check_ports(settings.model_copy(update={"server": server})), "dispatcher's port")
    assert verdict is Verdict.PROBLEM
    assert "API_PORT" in line


async def test_a_worker_that_listens_to_its_dispatcher_alone_is_khala_too(settings: Settings, tmp_path: Path) -> None:
    async with fake_worker(FakeEngine, ArtifactStore(tmp_path / "audio"), token="known to two") as url:
        server = ServerSettings(api_port=1024, worker_base_port=int(url.rpartition(":")[2]))
        guarded = settings.model_copy(update={"server": server})
        verdict, line = await asyncio.to_thread(lambda: verdict_of(check_ports(guarded), "worker 0's port"))
    assert verdict is Verdict.OK
    assert "it is running" in line


def test_a_node_that_is_too_old_is_said_to_be(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = settings.model_copy(update={"paths": settings.paths.model_copy(update={"frontend_dist": tmp_path})})
    node = tmp_path / "node"
    monkeypatch.setenv("PATH", str(tmp_path))
    for version, words in (("v18.20.4", "is too old"), ("v20.19.0", "npm ci"), ("v22.1.0", "npm ci")):
        node.write_text(f"#!/bin/sh\necho {version}\n")
        node.chmod(0o755)
        verdict, line = verdict_of(check_machine(without), "web page")
        assert verdict is Verdict.WARNING
        assert words in line


def test_no_checkpoint_is_a_warning_and_half_of_one_a_problem(
    settings: Settings, miniature: Path, tmp_path: Path
) -> None:
    assert verdict_of(check_models(settings), "checkpoint")[0] is Verdict.WARNING
    shutil.copytree(miniature, tmp_path / "none")
    found = by_name(check_models(settings))
    assert found["checkpoint"].text.startswith("khala-miniature")
    assert found["memory"].verdict is Verdict.OK
    shutil.rmtree(tmp_path / "none" / "superresolution")
    verdict, line = verdict_of(check_models(settings), "checkpoint")
    assert verdict is Verdict.PROBLEM
    assert "super-resolution model is missing" in line


def test_too_little_memory_says_which_settings_help(
    settings: Settings, miniature: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 1000)
    keeps = settings.model_copy(update={"models": ModelSettings(runtime_mode=RuntimeMode.KEEP_LOADED)})
    verdict, line = verdict_of(check_models(keeps, miniature), "memory")
    assert verdict is Verdict.PROBLEM
    assert "one_shot" in line
    assert "KHALA_QUANTIZE=int8" in line


def test_the_short_form_is_silent_where_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "dist"
    page.mkdir()
    (page / "index.html").write_text("")
    for name, value in {"OUTPUT_DIR": "audio", "LOGS_DIR": "logs", "FRONTEND_DIST": "dist"}.items():
        monkeypatch.setenv(f"KHALA_{name}", str(tmp_path / value))
    monkeypatch.setenv("KHALA_DATABASE_URL", f"sqlite:///{tmp_path / 'jobs.sqlite3'}")
    roomy = shutil.disk_usage("/")._replace(free=10**12)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: roomy)
    assert main(["doctor", "--short"]) == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "logs" / "in the way").mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("KHALA_LOGS_DIR", str(page / "index.html"))
    assert main(["doctor", "--short"]) == 1
    assert "folder of logs" in capsys.readouterr().out
