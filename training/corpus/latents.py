"""Songs as the codec's latents and codes, straight from stored rows: no audio is made.

Frames that are the same sum of the same rows are computed once; in a song about a third are different.
Legend: R rows, D latent size, F frames, U different frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.corpus.slices import RowIndex, SliceIndex
from training.corpus.sounds import Event

_HASH_KEY = 2_605


@dataclass(frozen=True)
class DistinctFrames:
    """The different frames of a song: ``rows`` to add up to frames ``places``, and ``which`` of them each frame is."""

    rows: RowIndex
    places: RowIndex
    which: RowIndex
    count: int

    @classmethod
    def of(cls, index: SliceIndex, events: Sequence[Event], num_frames: int) -> DistinctFrames:
        rows, frames = index.rows_in(events, num_frames)
        # Frames with equal sums of random 64-bit numbers, one a row, hold the same rows.
        numbers = np.random.Philox(key=_HASH_KEY).random_raw(index.num_rows)
        sums = np.zeros(num_frames, np.uint64)
        np.add.at(sums, frames, numbers[rows])
        _, first, which = np.unique(sums, return_index=True, return_inverse=True)
        place_of = np.full(num_frames, -1, np.int64)
        place_of[first] = np.arange(len(first))
        places = place_of[frames]
        kept = places >= 0
        return cls(rows[kept], places[kept], which.astype(np.int64), len(first))

    def sums(self, rows: Tensor) -> Tensor:
        """The frames themselves [U, columns] as sums of ``rows`` [R, columns]."""
        total = torch.zeros(self.count, rows.shape[1])
        return total.index_add_(0, torch.from_numpy(self.places), rows[torch.from_numpy(self.rows)])

    @property
    def counts(self) -> Tensor:
        """How often each of them occurs, float32 [U]."""
        return torch.from_numpy(np.bincount(self.which, minlength=self.count)).float()


@dataclass(frozen=True)
class LatentBank:
    """Rows of every sound as latents, float32 [R, D]."""

    index: SliceIndex
    rows: Tensor

    def latents(self, events: Sequence[Event], num_frames: int) -> Tensor:
        """Latents of a song, [F, D]."""
        frames = DistinctFrames.of(self.index, events, num_frames)
        return frames.sums(self.rows)[torch.from_numpy(frames.which)]


def onset_mask(events: Sequence[Event], num_frames: int) -> npt.NDArray[np.bool_]:
    """Whether anything starts on a frame, [F]."""
    mask = np.zeros(num_frames, np.bool_)
    starts = np.asarray([event.start for event in events], np.int64)
    mask[starts[starts < num_frames]] = True
    return mask
