"""A linear classifier in closed form, and the features of a song it reads.

Legend: N songs, W features, K codebook size.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

from core.codes import CodeArray
from training.corpus.grid import frames_in

LabelT = TypeVar("LabelT", bound=Hashable)

_PENALTY = 0.1
"""Against overfitting, as a part of the features' mean energy."""


def code_histogram(coarse: CodeArray, codebook_size: int) -> Tensor:
    """How often a song of codes [frames, 2] uses each code, as log(1 + times a minute), [2·K]."""
    counts = torch.cat([torch.bincount(codes, minlength=codebook_size) for codes in torch.from_numpy(coarse.T).long()])
    return (counts * (frames_in(1) / max(1, len(coarse)))).log1p()


class RidgeClassifier(Generic[LabelT]):
    """Least squares on one column a label; what scores highest is the answer."""

    def __init__(self, features_NW: Tensor, labels: Sequence[LabelT]) -> None:
        self._labels = sorted(set(labels), key=str)
        targets = torch.tensor([[float(label == one) for one in self._labels] for label in labels])
        self._centre, self._offset = features_NW.mean(0), targets.mean(0)
        centred = features_NW - self._centre
        penalty = _PENALTY * centred.square().sum(1).mean()
        gram = centred.T @ centred + penalty * torch.eye(centred.shape[1])
        self._weights = torch.linalg.solve(gram, centred.T @ (targets - self._offset))

    def __call__(self, features_W: Tensor) -> LabelT:
        scores = (features_W - self._centre) @ self._weights + self._offset
        return self._labels[int(scores.argmax())]
