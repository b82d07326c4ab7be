"""Writing a file so that others see it whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ArtifactError

UNFINISHED = ".part-"
"""How the name of a file begins that is not whole yet."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes its final name when the block ends well and vanishes otherwise.

    ArtifactError when there can be no such file: on entering, before any work was done for it, or at the end. What goes
    wrong inside the block is the caller's.
    """
    part = path.with_name(UNFINISHED + path.name)
    try:
        if path.is_dir():
            raise unwritable(path, "there is a folder of this name")
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield part
        try:
            part.replace(path)
        except OSError as error:
            raise unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def unwritable(path: Path, reason: OSError | str) -> ArtifactError:
    """What to say of a file that could not be written."""
    words = reason.strerror or str(reason) if isinstance(reason, OSError) else reason
    return ArtifactError(
        f"{path.name} could not be written to {path.parent} ({words}). "
        "Check the free space and the permissions of that folder."
    )
