"""Codes are checked when they are built, and survive a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core.codes import CoarseCodes, FullCodes, SavedCodes
from core.errors import CodesError


def _codes(layers: int = 64, frames: int = 5) -> FullCodes:
    values = np.random.default_rng(0).integers(0, 1024, (layers, frames)).astype(np.int16)
    return FullCodes(values=values)


def test_saved_codes_come_back_equal(tmp_path: Path) -> None:
    saved = SavedCodes(
        codes=_codes(), backbone_prompt=np.arange(4, dtype=np.int32), superres_prompt=np.zeros(2, np.int32)
    )
    saved.save(tmp_path / "song.npz")
    loaded = SavedCodes.load(tmp_path / "song.npz")
    assert np.array_equal(loaded.codes.values, saved.codes.values)
    assert np.array_equal(loaded.backbone_prompt, saved.backbone_prompt)
    with np.load(tmp_path / "song.npz") as arrays:
        shapes = {name: (arrays[name].dtype.name, arrays[name].shape) for name in arrays}
    assert shapes == {
        "backbone_prompt": ("int32", (4,)),
        "superres_prompt": ("int32", (2,)),
        "coarse": ("int16", (5, 2)),
        "codes": ("int16", (64, 5)),
    }


def test_a_name_without_an_ending_is_kept(tmp_path: Path) -> None:
    empty = np.zeros(0, np.int32)
    SavedCodes(codes=_codes(), backbone_prompt=empty, superres_prompt=empty).save(tmp_path / "song")
    assert [path.name for path in tmp_path.iterdir()] == ["song"]


@pytest.mark.parametrize("codes", [np.full((64, 3), 65_541), np.full((64, 3), -1), np.zeros((64, 3))])
def test_codes_that_no_codec_has_are_refused_and_never_wrapped(tmp_path: Path, codes: npt.NDArray[np.int64]) -> None:
    np.savez(tmp_path / "odd.npz", codes=codes)
    with pytest.raises(CodesError, match=r"odd\.npz"):
        SavedCodes.load(tmp_path / "odd.npz")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04broken"])
def test_a_file_that_holds_no_codes_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(CodesError, match=r"bad\.npz"):
        SavedCodes.load(path)


def test_a_file_without_the_array_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    with pytest.raises(CodesError, match=r"other\.npz.*codes"):
        SavedCodes.load(tmp_path / "other.npz")


@pytest.mark.parametrize(
    "values",
    [np.zeros((3, 1), np.int16), np.zeros((0, 2), np.int16), np.zeros((3, 2), np.int32), np.full((3, 2), -1, np.int16)],
)
def test_wrong_coarse_codes_cannot_be_built(values: np.ndarray[tuple[int, int], np.dtype[np.int16]]) -> None:
    with pytest.raises(CodesError):
        CoarseCodes(values=values)
