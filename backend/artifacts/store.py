"""The folder of finished tracks: names that cannot lead outside it, files that are whole or not there.

Knows nothing of audio or jobs.
"""

from __future__ import annotations

import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from backend.artifacts.whole_file import UNFINISHED, unfinished, unwritable, whole_file
from core.errors import ArtifactError

_ENDINGS = ("wav", "mp3", "json", "npz")
_NAME = re.compile(rf"\d{{8}}_\d{{6}}_[0-9a-f]{{8}}\.({'|'.join(_ENDINGS)})", re.ASCII)
_ABANDONED_SECONDS = 3600


@dataclass(frozen=True, kw_only=True)
class TrackFiles:
    """A finished track's files, by name, and what is wrong with it, such as an MP3 that could not be made."""

    duration_seconds: float
    wav_file: str
    mp3_file: str | None
    metadata_file: str
    codes_file: str | None = None
    warning: str | None = None


def new_file_id(moment: datetime) -> str:
    """A name without its ending that no other track has, from a moment in local time."""
    return f"{moment.astimezone():%Y%m%d_%H%M%S}_{secrets.token_hex(4)}"


def names_of(file_id: str) -> list[str]:
    """Every name a file of this track can have."""
    return [f"{file_id}.{ending}" for ending in _ENDINGS]


class ArtifactStore:
    """Files named ``YYYYMMDD_HHMMSS_xxxxxxxx.{wav,mp3,json,npz}`` (contract section 6) in one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def open(self) -> None:
        """Make the folder."""
        self.root.mkdir(parents=True, exist_ok=True)

    def sweep(self) -> None:
        """Remove what processes that died left half written, which is what nobody has written to for an hour."""
        for part in self.root.glob(f"{UNFINISHED}*"):
            # Others may be at work in this folder: what vanishes meanwhile has its final name now.
            with suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink()

    def path(self, name: str) -> Path:
        """Where a file of this name lies or would lie; ArtifactError for any name that is not one of ours."""
        if not _NAME.fullmatch(name):
            raise ArtifactError("That is not the name of a track's file.")
        return self.root / name

    def find(self, name: str) -> Path:
        """Where the file lies; ArtifactError when there is none."""
        path = self.path(name)
        if not path.is_file():
            raise ArtifactError(f"There is no file {name}; it may have been removed from the disk.")
        return path

    def size(self, file_id: str) -> int:
        """Bytes that the files of one track take."""
        return sum(_bytes(self.path(name)) for name in names_of(file_id))

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        """A path to write to; it takes its final name when the block ends well and vanishes when it does not."""
        path = self.path(name)
        try:
            with whole_file(path) as part:
                yield part
        except OSError as error:
            raise unwritable(path, error) from error

    def discard(self, file_id: str) -> None:
        """Remove every file of one track, the half-written too."""
        for path in map(self.path, names_of(file_id)):
            path.unlink(missing_ok=True)
            unfinished(path).unlink(missing_ok=True)


def _bytes(path: Path) -> int:
    """Size of a file; 0 for what is none, or is none any more: workers rename what they have written."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0
