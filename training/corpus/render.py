"""Songs as sound, in two ways that must agree: from stored frames, and note by note in the time domain."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from training.corpus.grid import HOP_SAMPLES
from training.corpus.lapped import synthesise
from training.corpus.slices import ONSET_SAMPLES, SliceBank, release_gate
from training.corpus.sounds import Event, samples_of


def render(events: Sequence[Event], num_frames: int, bank: SliceBank) -> Tensor:
    """Stereo audio of a song, float32 [2, num_frames·hop]."""
    return synthesise(bank.frames_of(events, num_frames))


def render_in_time(events: Sequence[Event], num_frames: int) -> Tensor:
    """The same song without any transform: the slow definition that ``render`` is held against."""
    audio = torch.zeros(2, (num_frames + 2) * HOP_SAMPLES)
    # The release's gate, from the sample at which it starts to close.
    closing = release_gate()[HOP_SAMPLES // 2 + ONSET_SAMPLES :]
    for sound, start, held in events:
        frames = held + 1 if held else sound.frames
        samples = torch.from_numpy(samples_of(sound, frames)).float()
        if held:
            end = held * HOP_SAMPLES
            samples[:, end:] *= closing[: samples.shape[1] - end]
        first = start * HOP_SAMPLES + ONSET_SAMPLES
        audible = samples[:, : max(0, audio.shape[1] - first)]
        audio[:, first : first + audible.shape[1]] += audible
    return audio[:, : num_frames * HOP_SAMPLES]
