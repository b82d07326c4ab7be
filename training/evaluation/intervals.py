"""How far a measured mean may be from the true one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypedDict

import numpy as np

_STANDARD_ERRORS = 1.96
_RESAMPLES = 2_000
_SEED = 95


class Estimate(TypedDict):
    """A mean, the bounds of its 95 % interval, and how many songs it is the mean of."""

    mean: float
    low: float
    high: float
    n: int


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of a value a song: Wilson's interval for yes and no (1 and 0), a bootstrap for anything between."""
    if not values:
        raise ValueError("there is nothing to take the mean of: no song states what is measured. Measure more songs.")
    array = np.asarray(values, np.float64)
    low, high = _wilson(array) if np.isin(array, (0.0, 1.0)).all() else _bootstrap(array)
    return Estimate(mean=round(float(array.mean()), 4), low=round(low, 4), high=round(high, 4), n=len(array))


def _wilson(hits: np.typing.NDArray[np.float64]) -> tuple[float, float]:
    n, share, z = len(hits), float(hits.mean()), _STANDARD_ERRORS
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def _bootstrap(values: np.typing.NDArray[np.float64]) -> tuple[float, float]:
    draws = np.random.default_rng(_SEED).integers(len(values), size=(_RESAMPLES, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)
