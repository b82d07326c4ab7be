"""Every error the system raises on purpose, as one tree.

    KhalaError
    ├── InvalidRequest          a field of a request cannot be used; names the field and the limit
    ├── CheckpointError         a file of a checkpoint is missing, damaged or does not fit; names file and tensor
    ├── CodesError              an array of codes has the wrong shape, type or range
    ├── GenerationError         a song could not be made
    │   ├── EmptyGeneration     the model ended before the first frame
    │   ├── DeviceOutOfMemory   the accelerator has too little memory left
    │   └── Cancelled           somebody asked for it to stop
    ├── EngineLost              the engine can make no more songs; its process has to be started again
    ├── ArtifactError           a file could not be written or read back
    │   └── Mp3EncodingFailed   the MP3 could not be made; the WAV is there
    └── IllegalTransition       a track was asked to go from one state to another that cannot follow it

Messages are whole sentences for the person who caused or must mend the error. Tracebacks belong in the log.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

ErrorT = TypeVar("ErrorT", bound=Exception)


class KhalaError(Exception):
    """Root of all errors raised on purpose."""


class InvalidRequest(KhalaError):
    """A field of a request cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class CheckpointError(KhalaError):
    """A file of a checkpoint is missing, damaged or does not fit the model."""

    def __init__(self, path: Path | str, message: str, *, tensor: str | None = None) -> None:
        where = f"{path}: tensor '{tensor}'" if tensor else str(path)
        super().__init__(f"{where}: {message}")
        self.path = Path(path)
        self.tensor = tensor


class CodesError(KhalaError):
    """An array of codes has the wrong shape, type or range."""


class GenerationError(KhalaError):
    """A song could not be made."""


class EmptyGeneration(GenerationError):
    """The backbone ended the song before its first frame."""


class EngineLost(KhalaError):
    """The engine can make no more songs; the process that holds it has to be started again."""


class DeviceOutOfMemory(GenerationError):
    """The accelerator has too little memory left for this stage."""


class Cancelled(GenerationError):
    """Somebody asked for the work to stop."""


class ArtifactError(KhalaError):
    """A file could not be written or read back."""


class Mp3EncodingFailed(ArtifactError):
    """The MP3 could not be made; the WAV of the same track is untouched."""


class IllegalTransition(KhalaError):
    """A track was asked to go to a state that cannot follow the one it is in."""


def without_frames(error: ErrorT) -> ErrorT:
    """The error as something to keep: its traceback and those of its causes hold on to what was in the frames they came
    through, such as a model's weights."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
