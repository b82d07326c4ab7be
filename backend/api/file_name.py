"""What a track's file is called where somebody saves it."""

from __future__ import annotations

import re

from core.job import Job, Track

_LONGEST = 60
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')
"""Characters that some file system refuses."""


def file_name(job: Job, track: Track, ending: str) -> str:
    """The title, else the first sung line, else what was asked for; with the track's number where there are several."""
    lines = (line.strip() for line in job.request.cleaned_lyrics.splitlines())
    sung = next((line for line in lines if line and not line.startswith("[")), "")
    name = job.title.strip() or sung or job.request.metadata_text
    safe = " ".join(_UNSAFE.sub(" ", name).split())[:_LONGEST].strip(" .") or "Khala"
    number = f" {track.index + 1}" if len(job.tracks) > 1 else ""
    return f"{safe}{number}.{ending}"
