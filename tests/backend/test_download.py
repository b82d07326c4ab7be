"""``python -m backend download`` against a hub on this machine: whole, broken off, refused, out of reach."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from backend.settings import PROJECT_ROOT
from models.checkpoint.tree import find_checkpoints, missing_parts
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

    def __call__(
        self, *arguments: str, name: str = NAME, failing: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[str]:
        async def beside_the_hub() -> subprocess.CompletedProcess[str]:
            async with served(create_hub(self._repositories, failing=failing)) as url:
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
    assert missing_parts(into)

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
    with (published / "large.distcp").open("wb") as large:
        large.truncate(10**13)  # a file with a hole: large to those who ask, nothing on the disk
    failed = download()
    assert failed.returncode == 1 and "GB are needed" in failed.stderr
    assert not list(into.rglob("*.distcp"))
