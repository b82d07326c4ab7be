"""Real processes, killed, hung, starved and confused: after each, everything must be as if nothing had happened.

``KHALA_KILL_POINTS`` sets how many random moments are tried (``make soak``: 200), ``KHALA_KILL_SEED`` which.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from backend.settings import PROJECT_ROOT
from core.job import JobStatus
from tests.backend.aftermath import check_aftermath
from tests.backend.real_processes import RealBackend, environment, real_backend, until

KILL_POINTS = int(os.environ.get("KHALA_KILL_POINTS", "20"))
KILL_SEED = int(os.environ.get("KHALA_KILL_SEED", "1"))
SONG = {"tags": "Jazz, Piano", "lyrics": "[Verse]\nla la", "duration": 1, "seed": 7}
LONGEST_SONG_SECONDS = 3.0
"""About how long a song of these tests is at work, loading and writing included."""


@pytest.mark.timeout(KILL_POINTS * 60 + 300)
def test_nothing_is_lost_whoever_is_killed_and_whenever(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature, max_seconds=20) | {
        # Somebody is killed all the time here, and nobody is to blame.
        "KHALA_MAX_ATTEMPTS": "1000",
        "KHALA_WORKER_RESTART_LONGEST_SECONDS": "0.2",
    }
    chance = random.Random(KILL_SEED)
    submitted: list[str] = []
    seen: Counter[tuple[str, str]] = Counter()
    left = KILL_POINTS
    while left:
        with real_backend(settings) as backend:
            while left:
                while sum(not backend.has_finished(job_id) for job_id in submitted) < 2:
                    submitted.append(backend.submit(**SONG, num_tracks=chance.choice([1, 1, 2])))
                until(lambda: backend.status()["active_jobs"] or None)
                time.sleep(chance.uniform(0, LONGEST_SONG_SECONDS))
                victim = chance.choice(["worker", "worker", "dispatcher"])
                seen[victim, phase_of(backend)] += 1
                left -= 1
                if victim == "dispatcher":
                    backend.kill()
                    break
                kill_worker(backend)
            else:
                for job_id in submitted:
                    backend.finished(job_id)
    if victim == "dispatcher":
        with real_backend(settings) as backend:
            for job_id in submitted:
                backend.finished(job_id)

    killed = ", ".join(f"{victim} at {phase} {times}" for (victim, phase), times in sorted(seen.items()))
    sys.stdout.write(f"{KILL_POINTS} kill points, seed {KILL_SEED}, {len(submitted)} jobs: {killed}\n")
    jobs = check_aftermath(settings, submitted)
    assert {job.status for job in jobs} == {JobStatus.COMPLETED}
    for seed in (7, 8):
        names = [track.wav_file for job in jobs for track in job.tracks if track.seed == seed and track.wav_file]
        songs = {(tmp_path / "audio" / name).read_bytes() for name in names}
        assert len(songs) <= 1, "the same seed must make the same song, however often its worker was killed"


def phase_of(backend: RealBackend) -> str:
    """What the worker is at, as far as the dispatcher has heard."""
    workers = backend.status()["workers"]
    return str(workers[0]["phase"]) if workers and workers[0]["status"] != "offline" else "offline"


def kill_worker(backend: RealBackend) -> None:
    """End the worker's process in the middle of whatever it does, if there is one right now."""
    with suppress(httpx.TransportError, psutil.NoSuchProcess):
        backend.worker().kill()


def phases_of(job: dict[str, Any]) -> set[str]:
    """What the tracks of a job are at."""
    return {track["worker_phase"] for track in job["tracks"]}


@pytest.mark.timeout(600)
def test_a_job_is_cancelled_within_two_seconds_in_every_phase(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature, max_seconds=20)
    submitted, took = [], {}
    with real_backend(settings) as backend:
        backend.until_loaded()
        for phase in ("backbone", "superres", "decoding"):
            # Tracks are decoded one after another: of four, some are always left when the wish arrives.
            job_id = backend.submit(**SONG, num_tracks=4)
            submitted.append(job_id)
            backend.job_when(job_id, lambda job, phase=phase: phase in phases_of(job))  # type: ignore[misc]
            wished = time.monotonic()
            backend.http.delete(f"/job/{job_id}")
            job = backend.finished(job_id)
            took[phase] = time.monotonic() - wished
            until(lambda: backend.status()["idle_gpus"] or None)
            *earlier, latest = (track["status"] for track in job["tracks"])
            assert latest == "cancelled", (phase, job)
            # What was ready before the wish stays.
            assert set(earlier) <= ({"cancelled", "done"} if phase == "decoding" else {"cancelled"}), (phase, job)
        last = backend.submit(**{**SONG, "num_tracks": 1})
        submitted.append(last)
        assert backend.finished(last)["status"] == "completed"

    assert max(took.values()) < 2, took
    check_aftermath(settings, submitted)


def test_a_hung_worker_is_replaced_and_its_song_made_all_the_same(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature, max_seconds=20) | {"KHALA_WORKER_STALL_SECONDS": "5"}
    with real_backend(settings) as backend:
        backend.until_loaded()
        job_id = backend.submit(**SONG)
        backend.job_when(job_id, lambda job: job["tracks"][0]["worker_phase"] == "backbone")
        hung = backend.worker()
        hung.send_signal(signal.SIGSTOP)
        job = backend.finished(job_id)

    assert job["status"] == "completed", job
    assert not hung.is_running()
    check_aftermath(settings, [job_id])


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of this size at ``folder``, in memory. Skips, and says so, where none can be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"a full disk is not tested: mount cannot be called ({error})")
    if mounted.returncode:
        pytest.skip(f"a full disk is not tested, because no file system may be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_fails_a_track_in_words_refuses_the_next_job_and_heals(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature, max_seconds=20) | {"KHALA_MIN_FREE_GB": "0.001"}
    audio = tmp_path / "audio"
    with ExitStack() as stack:
        # A song of twenty seconds takes 3.5 MB as WAV and 0.8 MB as MP3.
        stack.enter_context(small_disk(audio, 12))
        backend = stack.enter_context(real_backend(settings))
        filler = audio / "somebody else's"
        filler.write_bytes(bytes(9 * 2**20))
        job_id = backend.submit(**SONG, num_tracks=1)
        failed = backend.finished(job_id)
        assert list(audio.iterdir()) == [filler]
        with filler.open("ab") as more:
            more.write(bytes(5 * 2**19))
        refused = backend.http.post("/generate", json=SONG)
        filler.unlink()
        backend.http.post(f"/job/{job_id}/retry")
        healed = backend.finished(job_id)

        assert failed["status"] == "failed"
        assert "Check the free space" in failed["tracks"][0]["error"], failed
        assert refused.status_code == 507
        assert healed["status"] == "completed", healed
        # Looked at while the disk is still there.
        names = sorted(path.suffix for path in audio.iterdir())
        assert names == [".json", ".mp3", ".wav"]


def test_a_second_dispatcher_on_one_database_ends_with_one_sentence(tmp_path: Path, miniature: Path) -> None:
    settings = environment(tmp_path, miniature)
    other = environment(tmp_path / "other", miniature) | {"KHALA_DATABASE_URL": settings["KHALA_DATABASE_URL"]}
    with real_backend(settings) as backend:
        job_id = backend.submit(**SONG)
        backend.job_when(job_id, lambda job: job["status"] == "generating")
        command = [sys.executable, "-m", "backend", "serve", "--gpus", "cpu"]
        second = subprocess.run(command, env=other, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60)
        job = backend.finished(job_id)

    assert second.returncode == 1
    assert second.stderr == (
        "Another dispatcher works on the database of KHALA_DATABASE_URL. Stop it first, or give this one a database "
        "of its own.\n"
    )
    assert job["status"] == "completed"
    assert {track["worker_id"] for track in job["tracks"]} == {0}
