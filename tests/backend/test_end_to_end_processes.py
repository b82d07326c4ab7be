"""Real processes, real models (the miniature), real files: what a user does, and what may go wrong meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from backend.settings import PROJECT_ROOT
from tests.backend.real_processes import environment, loaded_libraries, real_backend, until, until_gone, url_in
from tests.backend.test_artifacts import FORMAT, decoded_by_ffmpeg

SONG = {
    "tags": "J-Pop, Female Vocals, Piano",
    "lyrics": "[Verse]\nThe night wind taps against the glass\n眠れないまま、朝を待つ",
    "duration": 1,
}
PIECE = {
    "mode": "instrumental",
    "prompt_mode": "natural",
    "prompt": "A calm lo-fi piece with soft piano",
    "duration": 1,
}


def test_both_kinds_of_requests_become_songs_that_play(tmp_path: Path, miniature: Path) -> None:
    with real_backend(environment(tmp_path, miniature)) as backend:
        jobs = [backend.submit(**SONG), backend.submit(**PIECE)]
        for job_id in jobs:
            job = backend.finished(job_id)
            assert job["status"] == "completed", job
            for index, track in enumerate(job["tracks"]):
                metadata = backend.http.get(f"/job/{job_id}/track/{index}/json").json()
                assert metadata["duration_sec"] == track["duration_sec"]
                assert 0 < track["duration_sec"] <= 2
                for ending in ("wav", "mp3"):
                    file = tmp_path / f"download.{ending}"
                    file.write_bytes(backend.http.get(f"/job/{job_id}/track/{index}/{ending}").content)
                    samples = decoded_by_ffmpeg(file).shape[1]
                    assert abs(samples - track["duration_sec"] * FORMAT.sample_rate_hz) <= FORMAT.hop_samples
        assert backend.status()["untrained"] is True
        assert backend.http.get("/config").json()["engine"]["trained"] is False

    assert len(list((tmp_path / "audio").iterdir())) == 12
    assert "untrained" in (tmp_path / "logs" / "worker_0.log").read_text()
    log = (tmp_path / "logs" / "api.log").read_text()
    assert all(f"job {job_id}" in log for job_id in jobs)


def test_the_same_seed_makes_the_same_song_alone_or_in_a_batch(tmp_path: Path, miniature: Path) -> None:
    with real_backend(environment(tmp_path, miniature, max_seconds=1)) as backend:
        both = backend.submit(**SONG, seed=41)
        second = backend.submit(**SONG, seed=42, num_tracks=1)
        for job_id in (both, second):
            assert backend.finished(job_id)["status"] == "completed"
        in_a_batch = backend.http.get(f"/job/{both}/track/1/wav").content
        alone = backend.http.get(f"/job/{second}/track/0/wav").content

    assert in_a_batch == alone


def test_a_killed_worker_costs_time_but_no_song(tmp_path: Path, miniature: Path) -> None:
    with real_backend(environment(tmp_path, miniature, max_seconds=10)) as backend:
        backend.until_loaded()
        job_id = backend.submit(**SONG, num_tracks=1)
        backend.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        backend.worker().kill()
        job = backend.finished(job_id)

    assert job["status"] == "completed", job
    assert len(list((tmp_path / "audio").iterdir())) == 3


def test_a_killed_dispatcher_leaves_no_worker_and_loses_no_job(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature, max_seconds=10)
    with real_backend(settings) as backend:
        backend.until_loaded()
        job_id = backend.submit(**SONG, num_tracks=1)
        backend.job_when(job_id, lambda job: job["status"] == "generating")
        worker = backend.worker()
        backend.kill()
        assert until_gone([worker])

    with real_backend({**settings, "KHALA_MAX_SECONDS": "1"}) as backend:
        assert backend.finished(job_id)["status"] == "completed"


def test_a_stop_in_the_middle_of_a_song_is_quick_and_clean(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature, max_seconds=60) | {"KHALA_SHUTDOWN_GRACE_SECONDS": "0.5"}
    with real_backend(settings) as backend:
        backend.until_loaded()
        job_id = backend.submit(**SONG)
        backend.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        asked = time.monotonic()
    # Leaving the block asks the dispatcher to stop and waits for it and its worker.
    assert time.monotonic() - asked < 10
    assert backend.process.returncode == 0
    assert list((tmp_path / "audio").iterdir()) == []


def test_the_dispatcher_answers_while_its_worker_still_loads(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature)
    began = time.monotonic()
    with real_backend(settings) as backend:
        answered_after = time.monotonic() - began
        assert backend.status()["untrained"] is None, "no worker can have loaded yet"
        libraries = loaded_libraries(backend.process.pid)

    # Two seconds are the promise; a test machine with other work to do gets some more.
    assert answered_after < 4
    assert not any("torch" in name for name in libraries)


def test_the_dispatcher_never_imports_torch_or_the_models() -> None:
    program = (
        "import sys\n"
        "from backend.bootstrap import build_backend\n"
        "from backend.settings import Settings\n"
        "import backend.cli.serve\n"
        "build_backend(Settings())\n"
        "found = {'torch', 'transformers', 'models', 'soundfile'} & set(sys.modules)\n"
        "sys.exit(f'imported: {found}' if found else 0)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=PROJECT_ROOT, check=True)


def test_a_second_dispatcher_on_the_same_port_ends_with_one_sentence(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature)
    with real_backend(settings) as backend:
        second = subprocess.run(
            [sys.executable, "-m", "backend", "serve", "--gpus", "cpu"],
            env=settings,
            cwd=PROJECT_ROOT,
            capture_output=True,
            text=True,
        )
        assert backend.status()["total_gpus"] == 1

    assert second.returncode == 1
    assert second.stderr.startswith(f"Port {settings['API_PORT']} on 127.0.0.1 cannot be used")
    assert second.stderr.count("\n") == 1


def test_a_broken_checkpoint_is_told_and_jobs_wait(tmp_path: Path, miniature: Path) -> None:
    broken = tmp_path / "checkpoints"
    (broken / "backbone").mkdir(parents=True)
    (broken / "backbone" / "latest_checkpointed_iteration.txt").write_text("36000")
    with real_backend(environment(tmp_path, broken)) as backend:
        job_id = backend.submit(**SONG)
        told = until(lambda: (backend.status()["workers"] and backend.status()["workers"][0]["error"]) or None)
        job = backend.http.get(f"/job/{job_id}").json()

    assert str(broken) in told
    assert "Traceback" not in told
    assert job["status"] == "queued"


def test_status_waits_for_a_system_and_says_what_happens(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature)
    ask = [sys.executable, "-m", "backend", "status"]
    with real_backend(settings):
        waited = subprocess.run([*ask, "--wait", "60"], env=settings, cwd=PROJECT_ROOT, capture_output=True, text=True)
    gone = subprocess.run([*ask, "--wait", "0.1"], env=settings, cwd=PROJECT_ROOT, capture_output=True, text=True)

    assert waited.returncode == 0, waited.stderr
    assert "worker 0 on cpu: idle" in waited.stdout
    assert "untrained" in waited.stdout
    assert gone.returncode == 1
    assert gone.stderr == "The system is not ready after 0.1 seconds.\n"


def test_the_launcher_starts_says_so_and_stops(tmp_path: Path, miniature: Path) -> None:
    launcher = _launcher_in(tmp_path)
    settings = {**environment(tmp_path, miniature), "KHALA_RUNTIME_MODE": "keep_loaded"}

    def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["bash", str(launcher), *arguments], env=settings, capture_output=True, text=True)

    try:
        with ThreadPoolExecutor() as terminals:
            both = list(terminals.map(lambda _: launch("--gpus", "cpu"), range(2)))
        started, refused = sorted(both, key=lambda one: one.returncode)
        assert started.returncode == 0, started.stdout + started.stderr
        assert "Khala is being started already" in refused.stderr
        assert f"{url_in(settings)}/docs" in started.stdout
        assert "worker 0 on cpu: idle" in started.stdout
        assert httpx.get(f"{url_in(settings)}/status").json()["idle_gpus"] == 1
        assert httpx.get(f"{url_in(settings)}/config").json()["runtime_mode"] == "keep_loaded"

        again = launch("--runtime-mode", "one_shot")
        assert again.returncode == 0
        assert f"already running: {url_in(settings)}" in again.stdout
        assert "to have it use --runtime-mode one_shot, stop it first" in again.stdout
        assert (tmp_path / "logs" / "running").read_text().splitlines()[2] == "30", "5 for songs, 25 for workers"

        settings["KHALA_LOGS_DIR"] = str(tmp_path / "elsewhere")
        other = launch("--gpus", "cpu")
        assert other.returncode == 1
        assert f"Port {settings['API_PORT']} is taken" in other.stderr
        elsewhere = launch("stop")
        assert elsewhere.returncode == 1
        assert f"A Khala answers on port {settings['API_PORT']}" in elsewhere.stderr
        settings["KHALA_LOGS_DIR"] = str(tmp_path / "logs")
    finally:
        stopped = launch("stop")

    assert stopped.stdout.endswith("Stopped.\n")
    assert launch("stop").stdout == "Khala is not running.\n"
    for port in (settings["API_PORT"], settings["WORKER_BASE_PORT"]):
        until(lambda port=port: _refused(f"http://127.0.0.1:{port}") or None)  # type: ignore[misc]


def test_a_start_that_fails_leaves_no_process(tmp_path: Path, miniature: Path) -> None:
    settings = {**environment(tmp_path, miniature), "KHALA_DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    # Whoever is left would keep the launcher's output open, and this call waiting.
    failed = subprocess.run(
        ["bash", str(_launcher_in(tmp_path)), "--gpus", "cpu"], env=settings, capture_output=True, text=True, timeout=60
    )

    assert failed.returncode == 1
    assert "KHALA_DATABASE_URL" in failed.stderr
    assert "The dispatcher ended" in failed.stderr


def test_an_old_node_costs_the_page_alone(tmp_path: Path) -> None:
    launcher = _launcher_in(tmp_path)
    (tmp_path / "root" / "frontend").mkdir()
    (tmp_path / "root" / "frontend" / "package.json").write_text("{}")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, does in (("node", '[ "$1" = --version ] && echo v18.20.4'), ("npm", "echo npm was called >&2")):
        (tools / name).write_text(f"#!/bin/sh\n{does}\n")
        (tools / name).chmod(0o755)
    settings = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "KHALA_LOGS_DIR": str(tmp_path / "logs")}
    done = subprocess.run(["bash", str(launcher), "setup"], env=settings, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "needs Node.js 20.19 or newer, and this is v18.20.4" in done.stdout
    assert "npm was called" not in done.stderr


def _launcher_in(folder: Path) -> Path:
    """The launcher in a root of its own, so that a test builds no web page and leaves the real one's run alone."""
    root = folder / "root"
    root.mkdir()
    requirements = (file.name for file in PROJECT_ROOT.glob("require*.txt"))
    for name in (".venv", "backend", "core", "models", *requirements):
        (root / name).symlink_to(PROJECT_ROOT / name)
    launcher = root / "run_backend.sh"
    launcher.write_bytes((PROJECT_ROOT / "run_backend.sh").read_bytes())
    return launcher


def test_the_launcher_explains_itself_and_refuses_nonsense() -> None:
    def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(PROJECT_ROOT / "run_backend.sh"), *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    explained = launch("--help")
    assert explained.returncode == 0
    for word in ("--gpus", "--runtime-mode", "stop", "8889", "worker_N.log"):
        assert word in explained.stdout
    for nonsense in (["--gpus", "x"], ["--gpus"], ["--gpus=1,"], ["--runtime-mode", "fast"], ["begin"]):
        refused = launch(*nonsense)
        assert refused.returncode == 2
        assert refused.stderr.startswith("run_backend.sh: ")
        assert refused.stderr.count("\n") == 1
    for name in ("API_PORT", "WORKER_BASE_PORT"):
        for value in ("abc", "0", "123456"):
            command = ["bash", str(PROJECT_ROOT / "run_backend.sh"), "stop"]
            refused = subprocess.run(command, env={**os.environ, name: value}, capture_output=True, text=True)
            assert refused.stderr == f"run_backend.sh: {name} is a port number, 1 to 65535, not '{value}'\n"


def test_the_launcher_says_which_python_it_needs(tmp_path: Path) -> None:
    script = tmp_path / "run_backend.sh"
    script.write_bytes((PROJECT_ROOT / "run_backend.sh").read_bytes())
    old = tmp_path / "python-of-old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = subprocess.run(
        ["bash", str(script), "setup"], env={**os.environ, "PYTHON": str(old)}, capture_output=True, text=True
    )

    assert refused.returncode == 1
    assert "3.10" in refused.stderr
    assert refused.stderr.count("\n") == 1


def _refused(url: str) -> bool:
    try:
        httpx.get(url)
    except httpx.ConnectError:
        return True
    return False
