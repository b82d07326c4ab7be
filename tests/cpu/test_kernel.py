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
    kept = _kept(package)
    assert kept
    _call(package)
    assert _kept(package) == kept, "read, not compiled again"
    team = package / "team.py"
    team.write_text(team.read_text() + "# of the next version\n")
    _call(package)
    assert _kept(package) != kept, "though its own file is as it was"


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_what_a_power_cut_left_half_written_is_compiled_anew(package: Path, kind: str) -> None:
    _call(package)
    (file,) = package.rglob(f"*.exponential-*.{kind}")
    file.write_bytes(b"")
    assert _call(package).startswith("0.36787")
    kept = _kept(package)
    _call(package)
    assert _kept(package) == kept, "and kept again"


def test_a_full_disk_keeps_nothing_and_nobody(package: Path) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); import signal; "
    full += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    assert _call(package, before=full).startswith("0.36787")
    assert not _kept(package)


def test_where_nothing_can_be_written_beside_them_it_is_kept_among_the_users_caches(
    package: Path, tmp_path: Path
) -> None:
    (package / "__pycache__").touch()  # a file where the folder should be: also root cannot write into it
    home = tmp_path / "home"
    home.mkdir()
    _call(package, home)
    assert _kept(home)


def test_without_any_place_it_is_compiled_each_time(package: Path) -> None:
    (package / "__pycache__").touch()
    assert _call(package).startswith("0.36787")


def _call(package: Path, home: Path = Path("/dev/null"), before: str = "") -> str:
    environment = os.environ | {"HOME": str(home), "XDG_CACHE_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", before + _CALL]
    done = subprocess.run(command, cwd=package.parents[1], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _kept(place: Path) -> dict[Path, int]:
    """Files of the called function's machine code, and when they were written."""
    return {file: file.stat().st_mtime_ns for file in place.rglob("*.exponential-*.nbc")}
