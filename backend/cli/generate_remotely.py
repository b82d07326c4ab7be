"""Songs made by a server: submitted, followed, fetched."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from backend.api.job_schemas import JobAnswer
from backend.client import Khala
from core.job import JobStatus


def generate_remotely(server: str, fields: dict[str, Any], folder: Path) -> int:
    """0 when every track was made. Interrupted, the job goes on; its id has been said."""
    with Khala(server, api_key=os.environ.get("KHALA_API_KEY")) as khala:
        accepted = khala.submit(**fields)
        sys.stderr.writelines(f"{warning}\n" for warning in accepted.warnings)
        sys.stderr.write(f"job {accepted.job_id} on {server}\n")
        with tqdm(total=100, bar_format="{percentage:3.0f}% |{bar}| {elapsed} {desc}") as bar:
            job = khala.wait(accepted.job_id, on_progress=lambda job: _show(bar, job))
        sys.stdout.writelines(f"{path}\n" for path in khala.download(job, folder))
    for track in job.tracks:
        if said := track.error or track.warning:
            sys.stderr.write(f"Track {track.index}: {said}\n")
    return 0 if job.status is JobStatus.COMPLETED else 1


def _show(bar: tqdm[None], job: JobAnswer) -> None:
    bar.n = max(bar.n, sum(track.progress for track in job.tracks) // len(job.tracks))
    slowest = min(job.tracks, key=lambda track: track.progress)
    bar.set_description_str(f"track {slowest.index}: {slowest.phase_display}")
