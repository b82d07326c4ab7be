"""``python -m backend download`` against a hub on this machine: whole, broken off, refused, out of reach."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.settings import PROJECT_ROOT
from models.checkpoint.tree import find_checkpoints, find_codec
from tests.backend.real_processes import environment
from tests.backend.studio import served
from tests.fakes.hub import create_hub

NAME = "somebody/weights"
SOURCE = "somebody/source"


@pytest.fixture
def published(tmp_path: Path, miniature: Path) -> Path:
    """A checkpoint as it is published: without its tokenizer, with a README of its own."""
    folder = tmp_path / "published"
    shutil.copytree(miniature, folder, ignore=shutil.ignore_patterns("tokenizer"))
    (folder / "README.md").write_text("about the weights")
    return folder


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """The folder of checkpoints, with what a clone has there."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "README.md").write_text("about this folder")
    return folder


class Downloads:
    """The command, with a hub that holds ``published`` and a source tree with the tokenizer."""

    def __init__(self, tmp_path: Path, published: Path, miniature: Path, into: Path) -> None:
        self._repositories = {NAME: published, SOURCE: miniature / "tokenizer"}
        self._environment, self._into = environment(tmp_path, into), into

    def __call__(self, *arguments: str, name: str = NAME, **hub: Any) -> subprocess.CompletedProcess[str]:
        async def beside_the_hub() -> subprocess.CompletedProcess[str]:
            async with served(create_hub(self._repositories, **hub)) as url:
                tokenizer = f"{url}/raw/{SOURCE}"
                return await asyncio.to_thread(self.run, url, "--from", name, "--tokenizer-from", tokenizer, *arguments)

        return asyncio.run(beside_the_hub())

    def run(self, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        settings = self._environment | {"HF_ENDPOINT": url, "HF_HUB_DISABLE_XET": "1"}
        command = [sys.executable, "-m", "backend", "download", "--into", str(self._into), *arguments]
        return subprocess.run(command, cwd=PROJECT_ROOT, env=settings, capture_output=True, text=True)


@pytest.fixture
def download(tmp_path: Path, published: Path, miniature: Path, into: Path) -> Downloads:
    return Downloads(tmp_path, published, miniature, into)


def test_a_whole_checkpoint_arrives_with_its_tokenizer(download: Downloads, into: Path, published: Path) -> None:
    planned = download("--dry-run")
    assert planned.returncode == 0 and "CC BY-NC 4.0" in planned.stdout
    assert [path.name for path in into.iterdir()] == ["README.md"]

    done = download()
    assert done.returncode == 0, done.stderr
    tree = find_checkpoints(into)
    assert tree.codec.read_bytes() == (published / tree.codec.name).read_bytes()
    assert (into / "README.md").read_text() == "about this folder"
    assert sorted(path.name for path in into.glob(".*")) == []

    again = download()
    assert again.returncode == 1 and "nothing is left to fetch" in again.stderr


def test_a_fetch_that_broke_goes_on_and_is_not_taken_for_a_checkpoint(download: Downloads, into: Path) -> None:
    broken = download(failing=["common.pt"])
    assert broken.returncode == 1
    assert "What has arrived is kept" in broken.stderr and "Traceback" not in broken.stderr
    assert [path.name for path in into.iterdir() if not path.name.startswith(".")] == ["README.md"]
    kept = {path: path.stat().st_mtime_ns for path in into.rglob("*.ckpt")}

    assert download().returncode == 0
    find_checkpoints(into)
    assert {path.stat().st_mtime_ns for path in into.rglob("*.ckpt")} == set(kept.values())


def test_a_tokenizer_that_cannot_be_had_is_said(download: Downloads, into: Path) -> None:
    failed = download("--tokenizer-from", "http://127.0.0.1:9/nowhere")
    assert failed.returncode == 1 and "--tokenizer-from" in failed.stderr
    assert download().returncode == 0
    find_checkpoints(into)


def test_what_the_hub_does_not_show_is_said(download: Downloads) -> None:
    unknown = download(name="somebody/else")
    assert unknown.returncode == 1 and "hf auth login" in unknown.stderr
    nameless = download(name="a/b/c")
    assert nameless.returncode == 1 and "OWNER/NAME" in nameless.stderr
    away = download.run("http://127.0.0.1:9")
    assert away.returncode == 1 and "could not be reached" in away.stderr
    assert "Traceback" not in unknown.stderr + nameless.stderr + away.stderr


def test_too_small_a_disk_is_said_before_anything_is_fetched(download: Downloads, into: Path, published: Path) -> None:
    codec = find_codec(published)
    assert codec
    failed = download(pretended={codec.name: 10**16})
    assert failed.returncode == 1 and "GB are needed" in failed.stderr
    assert [path.name for path in into.iterdir()] == ["README.md"]


def test_where_only_the_tokenizer_is_missing_only_that_is_fetched(
    download: Downloads, into: Path, published: Path
) -> None:
    shutil.copytree(published, into, dirs_exist_ok=True)
    done = download()
    assert done.returncode == 0 and "the tokenizer is now too" in done.stdout, done.stderr
    find_checkpoints(into)


def test_a_tokenizer_that_was_put_there_by_hand_stays(download: Downloads, into: Path, miniature: Path) -> None:
    shutil.copytree(miniature / "tokenizer", into / "tokenizer")
    done = download("--tokenizer-from", "http://127.0.0.1:9/nowhere")
    assert done.returncode == 0, done.stderr
    find_checkpoints(into)


def test_a_move_that_broke_off_goes_on(download: Downloads, into: Path, published: Path, miniature: Path) -> None:
    arriving = into / ".arriving"
    shutil.copytree(miniature, arriving)
    (arriving / ".whole").touch()
    (arriving / "backbone").rename(into / "backbone")
    done = download.run("http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    find_checkpoints(into)
    assert not arriving.exists()


def test_what_would_be_overwritten_is_said_before_anything_is_fetched(
    download: Downloads, into: Path, published: Path
) -> None:
    (published / "notes").mkdir()
    (published / "notes" / "a.txt").write_text("theirs")
    (into / "notes").mkdir()
    failed = download()
    assert failed.returncode == 1 and "already holds notes" in failed.stderr
