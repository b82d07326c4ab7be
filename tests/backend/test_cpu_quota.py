from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend import __main__ as command_line
from backend.cpu_quota import cpu_quota

MACHINE = 8


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.cpu_quota._processors", lambda: MACHINE)


@pytest.mark.parametrize(("quota", "expected"), [("150000", 2), ("50000", 1), ("800000", None), ("max", None)])
def test_a_quota_below_the_machine_is_rounded_up_to_whole_processors(
    tmp_path: Path, quota: str, expected: int | None
) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota} 100000\n")
    assert cpu_quota(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [("400000", 4), ("-1", None)])
def test_older_kernels_have_two_files_for_it(tmp_path: Path, quota: str, expected: int | None) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert cpu_quota(tmp_path) == expected


def test_outside_of_containers_there_is_none(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    (tmp_path / "cpu.max").write_text("what is this")
    assert cpu_quota(tmp_path) is None


@pytest.mark.parametrize(("wish", "threads"), [(None, "3"), ("1", "1")])
def test_commands_use_no_more_threads_unless_somebody_wants_it_otherwise(
    monkeypatch: pytest.MonkeyPatch, wish: str | None, threads: str
) -> None:
    monkeypatch.setattr(command_line, "cpu_quota", lambda: 3)
    monkeypatch.setenv("OMP_NUM_THREADS", wish or "")  # so that it is as it was afterwards
    if not wish:
        monkeypatch.delenv("OMP_NUM_THREADS")
    command_line.main(["settings"])
    assert os.environ["OMP_NUM_THREADS"] == threads
