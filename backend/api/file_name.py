"""What a track's file is called where somebody saves it."""

from __future__ import annotations

import re

from backend.artifacts.metadata import song_title
from core.job import Job, Track

_LONGEST = 60
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
"""Characters that some file system refuses."""


def file_name(job: Job, track: Track, ending: str) -> str:
    """The title, else the first sung line, else what was asked for; with the track's number where there are several."""
    name = job.title.strip() or song_title(job.request)
    safe = " ".join(_UNSAFE.sub(" ", name).split())[:_LONGEST].strip(" .") or "Khala"
    number = f" {track.index + 1}" if len(job.tracks) > 1 else ""
    return f"{safe}{number}.{ending}"
