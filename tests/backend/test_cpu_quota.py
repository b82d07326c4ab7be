from __future__ import annotations

from pathlib import Path

import pytest

from backend.cpu_quota import cpu_quota


@pytest.mark.parametrize(("quota", "expected"), [("150000", 2), ("50000", 1), ("800000", 8), ("max", None)])
def test_a_quota_is_rounded_up_to_whole_processors(tmp_path: Path, quota: str, expected: int | None) -> None:
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
