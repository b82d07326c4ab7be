"""docs/troubleshooting.md shows what people see: every failure there is provoked, and its words are compared."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
import torch

from core.errors import CheckpointError, DeviceOutOfMemory
from models.checkpoint.choose import present_checkpoints
from models.checkpoint.tree import find_checkpoints
from models.out_of_memory import naming_out_of_memory
from tests.backend.real_processes import environment
from tests.backend.studio import studio
from tests.documents.blocks import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
DOCUMENTED = re.findall(r"^> (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


class Shown:
    """Which of the documented messages have been seen."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __call__(self, message: str) -> None:
        """``message`` holds one of the documented ones; … fits anything within a line."""
        lines = message.splitlines()
        fitting = [one for one in DOCUMENTED if any(re.search(_pattern(one), line) for line in lines)]
        assert fitting, f"{PAGE.name} does not show: {message}"
        self.seen.update(fitting)


@pytest.fixture(scope="module")
def shown() -> Shown:
    return Shown()


def test_a_taken_port(shown: Shown, tmp_path: Path, miniature: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = environment(tmp_path, miniature) | {"API_PORT": str(taken.getsockname()[1])}
        shown(_launch(_clone(tmp_path), settings, "--gpus", "cpu"))


def test_no_node(shown: Shown, tmp_path: Path) -> None:
    clone = _clone(tmp_path)
    clone.joinpath("frontend").unlink()
    clone.joinpath("frontend").mkdir()
    shutil.copy(ROOT / "frontend" / "package.json", clone / "frontend")
    shown(_launch(clone, {"PATH": str(_programs(tmp_path, without={"node", "npm"}))}, "setup"))


def test_no_room_to_install(shown: Shown, tmp_path: Path) -> None:
    clone = _clone(tmp_path)
    clone.joinpath(".venv").unlink()
    programs = _programs(tmp_path, without={"df"})
    programs.joinpath("df").write_text("#!/bin/sh\necho Filesystem\necho disk 10000000 9000000 1000000 90% /\n")
    programs.joinpath("df").chmod(0o755)
    shown(_launch(clone, {"PATH": str(programs)}, "setup"))


def test_a_missing_tokenizer(shown: Shown, tmp_path: Path, miniature: Path) -> None:
    shutil.copytree(miniature, tmp_path / "half", ignore=shutil.ignore_patterns("tokenizer"))
    with pytest.raises(CheckpointError) as failure:
        present_checkpoints(tmp_path / "half")
    shown(str(failure.value))


def test_a_truncated_shard(shown: Shown, tmp_path: Path, miniature: Path) -> None:
    shutil.copytree(miniature, tmp_path / "cut")
    (shard,) = tmp_path.glob("cut/backbone/*/*.distcp")
    os.truncate(shard, shard.stat().st_size // 2)
    source = find_checkpoints(tmp_path / "cut").backbone.open()[1].source
    with pytest.raises(CheckpointError) as failure:
        for name in source.shapes:
            source.read(name)
    shown(str(failure.value))


def test_too_little_memory(shown: Shown) -> None:
    with pytest.raises(DeviceOutOfMemory) as failure, naming_out_of_memory("the backbone"):
        torch.empty(2**50)
    shown(str(failure.value))


async def test_a_full_disk_and_a_full_queue(shown: Shown, tmp_path: Path) -> None:
    request = {"mode": "instrumental", "tags": "Jazz"}
    for name, jobs, status in (("disk", {"min_free_gb": 1e9}, 507), ("queue", {"max_queued": 1}, 429)):
        async with studio(tmp_path / name, jobs=jobs) as running:
            answers = [await running.api.post("/generate", json=request) for _ in range(2)]
        assert answers[-1].status_code == status
        shown(answers[-1].json()["error"])


def test_every_documented_failure_was_provoked(shown: Shown) -> None:
    """Last, when the tests above have run; alone it says what the page shows."""
    if not shown.seen:
        pytest.skip("none of the failures was provoked in this run")
    assert set(DOCUMENTED) == shown.seen


def _pattern(documented: str) -> str:
    return ".*".join(re.escape(part) for part in documented.split("…"))


def _clone(tmp_path: Path) -> Path:
    """A folder that looks like the project's root, where nothing is started or installed for good."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for entry in ROOT.iterdir():
        if entry.name != ".git":
            clone.joinpath(entry.name).symlink_to(entry)
    return clone


def _programs(tmp_path: Path, *, without: set[str]) -> Path:
    """A folder of all programs on the path but some."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in map(Path, os.environ["PATH"].split(os.pathsep)):
        for program in folder.iterdir() if folder.is_dir() else ():
            link = programs / program.name
            if program.name not in without and not link.is_symlink():
                link.symlink_to(program)
    return programs


def _launch(clone: Path, settings: dict[str, str], *arguments: str) -> str:
    """What the launcher says in both streams."""
    command = ["bash", str(clone / "run_backend.sh"), *arguments]
    ours = {name: value for name, value in os.environ.items() if not name.startswith("KHALA_")}
    done = subprocess.run(command, env=ours | settings, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr
