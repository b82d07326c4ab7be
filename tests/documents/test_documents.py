"""What the documents tell people to type is typed here, in a copy of their place, against a server of our own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from benchmarks.cards import memory_table, speed_table
from tests.backend.real_processes import environment, real_backend, url_in
from tests.documents.blocks import ROOT, Block, blocks, documents

BLOCKS = blocks()
RUNNABLE = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
DRAWINGS = {"mermaid", "text"}
NODE = shutil.which("node")
SECONDS = 240

_DOCUMENTED_URL = "http://127.0.0.1:8889"
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]+)")


def _cases(*languages: str) -> list[ParameterSet]:
    """Blocks of these languages; a translation's are held against its original's by a test of their own."""
    return [
        pytest.param(one, id=one.place) for one in BLOCKS if one.language in languages and "_zh.md:" not in one.place
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, miniature: Path) -> Iterator[Place]:
    """The project's root as it were, where songs may be left lying about, and a server with one finished job."""
    folder = tmp_path_factory.mktemp("documents")
    checkpoints = folder / "checkpoints"
    for name in (".venv", "core", "models", "backend", "frontend", "training", "benchmarks", "tests"):
        (folder / name).symlink_to(ROOT / name)
    checkpoints.mkdir()
    checkpoints.joinpath("demo").symlink_to(ROOT / "checkpoints" / "demo")
    folder.joinpath(".curlrc").write_text("fail\n")  # or an error would be saved as if it were a song
    settings = environment(folder / "server", miniature)
    with real_backend(settings) as backend:
        job_id = backend.submit(mode="instrumental", prompt_mode="tags", tags="Jazz, Piano", duration=1)
        assert backend.finished(job_id)["status"] == "completed"
        yield Place(folder, settings, job_id)


class Place:
    """Where blocks are run; a published address becomes the server's, JOB_ID the finished job's."""

    def __init__(self, folder: Path, settings: dict[str, str], job_id: str) -> None:
        self.folder, self._settings, self._job_id = folder, settings, job_id

    def run(self, command: list[str], text: str) -> subprocess.CompletedProcess[str]:
        text = text.replace(_DOCUMENTED_URL, url_in(self._settings)).replace("JOB_ID", self._job_id)
        return subprocess.run(
            [*command, text],
            cwd=self.folder,
            env=self._settings | {"KHALA_CHECKPOINTS": str(self.folder / "checkpoints"), "CURL_HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize("block", _cases(*RUNNABLE))
def test_a_block_does_what_it_says(block: Block, place: Place) -> None:
    if block.reason:
        pytest.skip(f"{block.place}: {block.reason}")
    done = place.run(RUNNABLE[block.language], block.text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"error":"' not in done.stdout, done.stdout


@pytest.mark.skipif(NODE is None, reason="there is no Node.js here to run the JavaScript of the documents with")
@pytest.mark.parametrize("block", _cases("javascript"))
def test_javascript_does_what_it_says(block: Block, place: Place) -> None:
    assert NODE
    done = place.run([NODE, "--input-type=module", "-e"], block.text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[-2]) > 1000


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    kinds = {block.language for block in BLOCKS}
    assert {"bash", "python", "javascript"} <= kinds <= RUNNABLE.keys() | DRAWINGS | {"javascript"}
    fences = sum(len(re.findall(r"^\s*```", path.read_text(encoding="utf-8"), re.MULTILINE)) for path in documents())
    assert fences == 2 * len(BLOCKS), "a block is indented, or not closed: nobody would look at it"


@pytest.mark.parametrize("block", _cases("bash"))
def test_what_a_block_calls_is_there(block: Block) -> None:
    """Also those that are not run here cannot name what was renamed."""
    targets = set(re.findall(r"^([\w-]+):", ROOT.joinpath("Makefile").read_text(), re.MULTILINE))
    scripts = ROOT.joinpath("frontend", "package.json").read_text()
    for command in block.commands:
        for module in re.findall(r"python3? -m ([\w.]+)", command):
            path = ROOT.joinpath(*module.split("."))
            own = path.with_suffix(".py").exists() or path.joinpath("__main__.py").exists()
            assert own or module in {"venv", "pytest"}, command
        for called in re.findall(r"-m backend (\w+)", command):
            assert ROOT.joinpath("backend", "cli", f"{called}.py").exists(), command
        for target in re.findall(r"\bmake ([\w-]+)", command):
            assert target in targets, command
        for script in re.findall(r"npm run ([\w:-]+)", command):
            assert f'"{script}":' in scripts, command
        for path_name in re.findall(r"(?:bash |^)(?:\.\./)?([\w/]+\.sh)", command):
            assert ROOT.joinpath(path_name).exists(), command


@pytest.mark.parametrize("path", [pytest.param(one, id=str(one.relative_to(ROOT))) for one in documents()])
def test_what_a_document_links_to_is_there(path: Path) -> None:
    for target in _LINK.findall(path.read_text(encoding="utf-8")):
        assert path.parent.joinpath(target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("name", ["README", "ENVIRONMENT_SETUP"])
def test_a_translation_types_the_same(name: str) -> None:
    there, here = ([one for one in BLOCKS if one.place.startswith(f"{name}{end}:")] for end in (".md", "_zh.md"))
    assert [(one.language, one.reason) for one in there] == [(one.language, one.reason) for one in here]
    for original, translated in zip(there, here, strict=True):
        if original.language not in DRAWINGS:
            assert original.commands == translated.commands, translated.place


@pytest.mark.parametrize("name", ["ENVIRONMENT_SETUP.md", "ENVIRONMENT_SETUP_zh.md"])
def test_what_is_documented_of_gpus_is_what_is_computed(name: str) -> None:
    written = ROOT.joinpath(name).read_text(encoding="utf-8")
    for table in (memory_table(), speed_table()):
        assert table in written, "write the tables anew: .venv/bin/python -m benchmarks.cards"
