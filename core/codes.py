"""Codes: what the backbone writes, what super-resolution completes, and how both are kept in a file."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from core.errors import CodesError
from core.token_layout import COARSE_LAYERS

CodeArray: TypeAlias = npt.NDArray[np.int16]
IdArray: TypeAlias = npt.NDArray[np.int32]

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError)


@dataclass(frozen=True, kw_only=True)
class CoarseCodes:
    """Codes of the first two RVQ layers, int16 [frames, 2], values below the codebook size."""

    values: CodeArray

    def __post_init__(self) -> None:
        _check(self.values, axis=1, expected=COARSE_LAYERS, name="coarse codes [frames, 2]")

    @property
    def num_frames(self) -> int:
        return int(self.values.shape[0])


@dataclass(frozen=True, kw_only=True)
class FullCodes:
    """Codes of all RVQ layers, int16 [layers, frames], values below the codebook size."""

    values: CodeArray

    def __post_init__(self) -> None:
        _check(self.values, axis=0, expected=None, name="codes [layers, frames]")

    @property
    def num_layers(self) -> int:
        return int(self.values.shape[0])

    @property
    def num_frames(self) -> int:
        return int(self.values.shape[1])

    @property
    def coarse(self) -> CoarseCodes:
        return CoarseCodes(values=np.ascontiguousarray(self.values[:COARSE_LAYERS].T))


@dataclass(frozen=True, kw_only=True)
class SavedCodes:
    """What ``--save-codes`` keeps of a track: both prompts and the codes; prompts are empty for encoded audio."""

    codes: FullCodes
    backbone_prompt: IdArray
    superres_prompt: IdArray

    def save(self, path: Path) -> None:
        """Write an .npz: backbone_prompt [n], superres_prompt [n], coarse [frames, 2], codes [layers, frames]."""
        with path.open("wb") as file:  # given a name, NumPy would add an ending to it
            np.savez_compressed(
                file,
                backbone_prompt=self.backbone_prompt.astype(np.int32),
                superres_prompt=self.superres_prompt.astype(np.int32),
                coarse=self.codes.coarse.values,
                codes=self.codes.values,
            )

    @classmethod
    def load(cls, path: Path) -> SavedCodes:
        """Read such a file back; CodesError says what is wrong with one that is not."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                values = arrays["codes"]
                empty = np.zeros(0, np.int32)
                prompts = [arrays.get(name, empty) for name in ("backbone_prompt", "superres_prompt")]
        except (*_UNREADABLE, zipfile.BadZipFile, zlib.error) as error:
            raise CodesError(f"{path} is not a file of codes (.npz with an array 'codes'): {error}") from error
        for array in (values, *prompts):
            if not np.issubdtype(array.dtype, np.integer):
                raise CodesError(f"{path}: codes and prompts must be whole numbers, not {array.dtype}")
        if values.size and not 0 <= int(values.min()) <= int(values.max()) <= np.iinfo(np.int16).max:
            raise CodesError(f"{path}: its codes run from {values.min()} to {values.max()}, which no codec has")
        return cls(
            codes=FullCodes(values=values.astype(np.int16)),
            backbone_prompt=prompts[0].astype(np.int32),
            superres_prompt=prompts[1].astype(np.int32),
        )


def _check(values: CodeArray, *, axis: int, expected: int | None, name: str) -> None:
    if values.ndim != 2 or (expected is not None and values.shape[axis] != expected):
        raise CodesError(f"{name} expected, an array of shape {list(values.shape)} was given")
    if values.dtype != np.int16:
        raise CodesError(f"{name} must be int16, not {values.dtype}")
    if values.size == 0:
        raise CodesError(f"{name} holds no frame")
    if int(values.min()) < 0:
        raise CodesError(f"{name} holds a negative code")
