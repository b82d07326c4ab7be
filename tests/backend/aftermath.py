"""What must hold after any fault: no job lost, no track twice, no orphan file, no leaked process, states legal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from backend.jobs.database import Database
from backend.jobs.store import JobFilter, JobStore
from core.job import Job, TrackStatus
from tests.backend.real_processes import processes_with, until_gone


def check_aftermath(settings: dict[str, str], submitted: Collection[str]) -> list[Job]:
    """Look at everything that a backend, which is stopped now, has left; the jobs, newest first."""
    assert until_gone(processes_with("KHALA_DATABASE_URL", settings["KHALA_DATABASE_URL"])), "a process is left"
    database = Database(settings["KHALA_DATABASE_URL"])
    jobs = list(JobStore(database).page(JobFilter(), limit=10_000).jobs)
    database.close()
    assert {job.job_id for job in jobs} == set(submitted), "jobs were lost, or made up"

    owned: Counter[str] = Counter()
    for job in jobs:
        for track in job.tracks:
            assert not track.status.is_running, "nobody works on it any more"
            files = [name for name in (track.wav_file, track.mp3_file, track.metadata_file) if name]
            assert bool(files) == (track.status is TrackStatus.DONE)
            assert (track.progress == 100) == (track.status is TrackStatus.DONE)
            owned.update(files)
    folder = Path(settings["KHALA_OUTPUT_DIR"])
    assert set(owned.values()) <= {1}, "two tracks have one file"
    assert {path.name for path in folder.iterdir()} == set(owned), "a file is nobody's, or missing"

    made: Counter[tuple[str, int]] = Counter()
    for path in folder.glob("*.json"):
        metadata = json.loads(path.read_text(encoding="utf-8"))
        made[metadata["job_id"], metadata["track_index"]] += 1
    assert set(made.values()) <= {1}, "a track was made twice"
    return jobs
