"""Files that others see whole or not at all, and that are still there after a power cut."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from backend.artifacts.whole_file import whole_file
from core.errors import ArtifactError


def test_a_file_that_cannot_be_is_known_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder").mkdir()
    for impossible in (tmp_path / "file" / "x.wav", tmp_path / "folder"):
        with pytest.raises(ArtifactError, match="could not be written"), whole_file(impossible):
            pytest.fail("the work was begun")

    with whole_file(tmp_path / "new" / "deep" / "x.wav") as part:
        part.write_bytes(b"whole")
    assert [path.name for path in (tmp_path / "new" / "deep").iterdir()] == ["x.wav"]


def test_a_name_is_on_the_disk_before_anybody_hears_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, bool]] = []

    def note(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((is_folder, (tmp_path / "x.wav").exists()))

    monkeypatch.setattr(os, "fsync", note)
    with whole_file(tmp_path / "x.wav") as part:
        part.write_bytes(b"whole")

    assert synced == [(False, False), (True, True)], "first what is in it, then its name"


def test_a_filesystem_that_cannot_sync_folders_still_takes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def refuse_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    with whole_file(tmp_path / "x.wav") as part:
        part.write_bytes(b"whole")
    assert (tmp_path / "x.wav").read_bytes() == b"whole"
