"""Writing a file so that others see it whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import ArtifactError

UNFINISHED = ".part-"
"""How the name of a file begins that is not whole yet."""


def unfinished(path: Path) -> Path:
    """Where a file is written before it is whole."""
    return path.with_name(UNFINISHED + path.name)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; it takes its final name when the block ends well and vanishes otherwise.

    ArtifactError when there can be no such file: on entering, before any work was done for it, or at the end. What goes
    wrong inside the block is the caller's.
    """
    part = unfinished(path)
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
            # On the disk before it has its name: a machine that loses power must not leave a name without a song.
            with part.open("rb") as written:
                os.fsync(written.fileno())
            part.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: else a machine that loses power may forget a file that was promised."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and user-space filesystems cannot do this with folders at all.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)


def unwritable(path: Path, reason: OSError | str) -> ArtifactError:
    """What to say of a file that could not be written."""
    words = reason.strerror or str(reason) if isinstance(reason, OSError) else reason
    return ArtifactError(
        f"{path.name.removeprefix(UNFINISHED)} could not be written to {path.parent} ({words}). "
        "Check the free space and the permissions of that folder."
    )
