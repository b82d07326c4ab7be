"""Machine code is kept for the sources as they are, and never used for others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_CALL = "from models.cpu.arithmetic import exponential; import numpy; print(exponential(numpy.float32(-1)))"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The kernels' sources, with nothing kept yet."""
    cpu = tmp_path / "models" / "cpu"
    shutil.copytree(ROOT / "models" / "cpu", cpu, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "models" / "__init__.py").touch()
    return cpu


def test_it_is_kept_beside_the_sources_and_not_used_for_others(package: Path) -> None:
    assert _call(package).startswith("0.36787")
    kept = _kept(package / "__pycache__")
    assert kept, "beside the sources"
    _call(package)
    assert _kept(package / "__pycache__") == kept, "read, not compiled again"
    team = package / "team.py"
    team.write_text(team.read_text() + "# of the next version\n")
    _call(package)
    assert len(_kept(package / "__pycache__")) == 2 * len(kept), "though its own file is as it was"


def test_where_nothing_can_be_written_beside_them_it_is_kept_among_the_users_caches(
    package: Path, tmp_path: Path
) -> None:
    (package / "__pycache__").touch()  # a file where the folder should be: also root cannot write into it
    home = tmp_path / "home"
    home.mkdir()
    _call(package, home)
    assert _kept(home / ".cache" / "khala")


def test_without_any_place_it_is_compiled_each_time(package: Path) -> None:
    (package / "__pycache__").touch()
    assert _call(package, Path("/dev/null")).startswith("0.36787")


def _call(package: Path, home: Path = Path("/dev/null")) -> str:
    environment = os.environ | {"HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _CALL], cwd=package.parents[1], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _kept(place: Path) -> set[Path]:
    return set(place.rglob("exponential*.nbi")) | set(place.rglob("*.exponential*.nbi"))
