"""Notes cut into frames once, so that a song is a sum of stored frames.

The lapped transform is linear and every event starts on a frame, so the frames of a song are the sums of the frames of
its notes: a row for each age of each sound, and for held sounds a row for the frame of their release at each age.
Projected onto a latent basis the same rows make latents (see ``latents``). Legend: R rows, H hop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from training.corpus.grid import HOP_SAMPLES, MAX_NOTE_FRAMES, SETTLED_FRAMES, period_frames
from training.corpus.lapped import OVERLAP_SAMPLES, analyse_pieces, pieces_of
from training.corpus.sounds import Event, Sound, samples_of

RowIndex: TypeAlias = npt.NDArray[np.int64]

ONSET_SAMPLES = OVERLAP_SAMPLES // 2
"""Sounds start this late in their frame, so that they do not reach into the ramp of the frame before."""

RELEASE_SAMPLES = 1_024
"""Length of the fade after a note's last frame."""


_FIRST_SETTLED_AGE = SETTLED_FRAMES + 1
"""From this frame of a note on nothing of what its row is made of fades any more."""


def release_gate() -> Tensor:
    """What a release multiplies the samples of its frame with, [2·H] from half a hop before the frame."""
    gate = torch.zeros(2 * HOP_SAMPLES)
    end = HOP_SAMPLES // 2 + ONSET_SAMPLES
    gate[:end] = 1
    gate[end : end + RELEASE_SAMPLES] = 0.5 + 0.5 * torch.cos(
        torch.pi * torch.arange(RELEASE_SAMPLES) / RELEASE_SAMPLES
    )
    return gate


@dataclass(frozen=True)
class SliceIndex:
    """Which rows belong to which sound. Held: every age, then a release after every length. Others: their frames."""

    first_rows: dict[Sound, int]
    num_rows: int

    @classmethod
    def of(cls, sounds: Iterable[Sound]) -> SliceIndex:
        first_rows, rows = {}, 0
        for sound in sorted(set(sounds)):
            first_rows[sound] = rows
            rows += 2 * MAX_NOTE_FRAMES if sound.is_held else sound.frames
        return cls(first_rows, rows)

    def rows_in(self, events: Sequence[Event], num_frames: int) -> tuple[RowIndex, RowIndex]:
        """Rows to add up and the frames to add them to, both [n], for the first ``num_frames`` frames of a song."""
        rows, starts, counts, periods = [], [], [], []
        for sound, start, frames in events:
            row = self.first_rows[sound]
            rows.append(row)
            starts.append(start)
            counts.append(frames or sound.frames)
            periods.append(period_frames(sound.pitch) if frames else sound.frames)
            if frames:
                rows.append(row + MAX_NOTE_FRAMES + int(_settled(frames, periods[-1])) - 1)
                starts.append(start + frames)
                counts.append(1)
                periods.append(1)
        repeats = np.asarray(counts, np.int64)
        total = int(repeats.sum())
        age = np.arange(total) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        row_of = np.repeat(np.asarray(rows, np.int64), repeats) + _settled(age, np.repeat(periods, repeats))
        frame_of = np.repeat(np.asarray(starts, np.int64), repeats) + age
        inside = frame_of < num_frames
        return row_of[inside], frame_of[inside]


def _settled(age: RowIndex | int, period: RowIndex | int) -> RowIndex:
    """The first age at which a note that settled sounds as it does at ``age``; ``period`` is in frames."""
    return np.where(age < _FIRST_SETTLED_AGE, age, _FIRST_SETTLED_AGE + (age - _FIRST_SETTLED_AGE) % period)


@dataclass(frozen=True)
class SliceBank:
    """The rows themselves: ``rows`` float32 [R, 2·H], the coefficients of the left and of the right channel."""

    index: SliceIndex
    rows: Tensor

    @classmethod
    def of(cls, sounds: Iterable[Sound]) -> SliceBank:
        """Synthesise and analyse every sound; about 20 ms a held one."""
        index = SliceIndex.of(sounds)
        rows = torch.empty(index.num_rows, 2 * HOP_SAMPLES)
        gate = release_gate()
        for sound, first in index.first_rows.items():
            frames = MAX_NOTE_FRAMES if sound.is_held else sound.frames
            pieces = _pieces(sound, frames + 1)
            rows[first : first + frames] = _as_rows(pieces[:, :frames])
            if sound.is_held:
                rows[first + frames : first + 2 * frames] = _as_rows(pieces[:, 1:] * gate)
        return cls(index, rows)

    def frames_of(self, events: Sequence[Event], num_frames: int) -> Tensor:
        """Coefficients of a song, [2, num_frames, H]."""
        rows, frames = self.index.rows_in(events, num_frames)
        summed = torch.zeros(num_frames, self.rows.shape[1])
        summed.index_add_(0, torch.from_numpy(frames), self.rows[torch.from_numpy(rows)])
        return summed.view(num_frames, 2, HOP_SAMPLES).transpose(0, 1)


def _pieces(sound: Sound, frames: int) -> Tensor:
    """The stretches of the first ``frames`` frames of a sound placed in its frame, [2, frames, 2·H]."""
    samples = torch.from_numpy(samples_of(sound, frames + 1)).float()
    before = HOP_SAMPLES // 2 + ONSET_SAMPLES
    length = (frames + 1) * HOP_SAMPLES
    padded = torch.zeros(2, length)
    padded[:, before:] = samples[:, : length - before]
    return pieces_of(padded)


def _as_rows(pieces: Tensor) -> Tensor:
    return analyse_pieces(pieces).transpose(0, 1).flatten(1)
