"""Songs as the backbone reads them: prompt, then layers 0 and 1 of each frame in turn, then the end token.

Legend: B songs, L positions, F frames. Position i predicts position i + 1, so the last prompt id predicts the first
code. Rows are padded at the end, where causal attention never looks; padded predictions weigh nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from core.token_layout import COARSE_LAYERS, TokenLayout
from training.corpus.dataset import Example
from training.corpus.form import PHRASE_BARS
from training.phases import PHASE_SIZES, phases_of
from training.plan_labels import plan_labels
from training.text import backbone_prompt

ONSET_WEIGHT = 4.0
"""Frames in which something begins are a sixth of all and carry most of what there is to learn."""

NEW_WEIGHT = 3.0
"""What an onset weighs more while an instrument is in its first phrase: which it is, and in what key, only the prompt
tells; later on what was heard before does."""

WAITING_FRAMES = 2
"""Layer 0 of so many frames before an onset weighs as much as the onset: whether it begins now or a little later is one
question. When only the onset weighed more, its odds were as much too high, and notes came a frame too early."""

END_WEIGHT = 20.0
"""The end token comes once a song."""


@dataclass(frozen=True, kw_only=True)
class CoarseBatch:
    """What one training step needs. Targets are places in a layer's window; the codebook size is the end token.

    ``positions`` [B, L] are those of the whole song: one that is read from its middle on has a gap behind its prompt.
    ``places`` [B, F + 1] are the positions that predict layer 0; layer 1 of a frame is predicted one later.
    ``rivals`` are the targets other instruments would have given, what was heard before being the same, and the targets
    themselves where there are none.
    ``phases`` [9, B, F] say where in the song each frame is (``training.phases``), ``plans`` [P, B] what each song is
    (``training.plan_labels``).
    """

    ids: torch.Tensor
    positions: torch.Tensor
    places: torch.Tensor
    targets: tuple[torch.Tensor, torch.Tensor]
    weights: tuple[torch.Tensor, torch.Tensor]
    rivals: tuple[torch.Tensor, torch.Tensor]
    onsets: torch.Tensor
    phases: torch.Tensor
    plans: torch.Tensor

    def to(self, device: torch.device) -> CoarseBatch:
        return CoarseBatch(
            ids=self.ids.to(device),
            positions=self.positions.to(device),
            places=self.places.to(device),
            targets=(self.targets[0].to(device), self.targets[1].to(device)),
            weights=(self.weights[0].to(device), self.weights[1].to(device)),
            rivals=(self.rivals[0].to(device), self.rivals[1].to(device)),
            onsets=self.onsets.to(device),
            phases=self.phases.to(device),
            plans=self.plans.to(device),
        )


def pack(examples: Sequence[Example], layout: TokenLayout, *, length: int) -> CoarseBatch:
    """A batch of the fixed shape [B, length], so that the compiled step is compiled once.

    Each row takes as many frames of its song as fit behind the prompt, which may fill three quarters of it; a song that
    is cut has no end token.
    """
    songs, frame_room = len(examples), length // COARSE_LAYERS
    ids = np.full((songs, length), layout.end_of_generation, np.int64)
    positions = np.tile(np.arange(length), (songs, 1))
    places = np.zeros((songs, frame_room + 1), np.int64)
    targets = (np.zeros((songs, frame_room + 1), np.int64), np.zeros((songs, frame_room), np.int64))
    weights = (np.zeros((songs, frame_room + 1), np.float32), np.zeros((songs, frame_room), np.float32))
    rivals = (np.zeros_like(targets[0]), np.zeros_like(targets[1]))
    onsets = np.zeros((songs, frame_room), np.float32)
    phases = np.zeros((len(PHASE_SIZES), songs, frame_room), np.int64)
    starts = np.array([layout.window(layer).start for layer in range(COARSE_LAYERS)])
    for row, example in enumerate(examples):
        prompt = backbone_prompt(example.request, layout, limit=3 * length // 4)
        frames = min(example.num_frames, (length - len(prompt) - 1) // COARSE_LAYERS)
        coarse = example.coarse[:frames].astype(np.int64)
        ids[row, : len(prompt)] = prompt
        ids[row, len(prompt) : len(prompt) + COARSE_LAYERS * frames] = (coarse + starts).reshape(-1)
        positions[row, len(prompt) :] += COARSE_LAYERS * example.first_frame
        places[row, : frames + 1] = len(prompt) - 1 + COARSE_LAYERS * np.arange(frames + 1)
        onsets[row, :frames] = example.onsets[:frames]
        stress = 1 + (ONSET_WEIGHT - 1) * onsets[row, :frames]
        stress *= 1 + (NEW_WEIGHT - 1) * onsets[row, :frames] * _in_first_phrases(example)[:frames]
        for layer, weight in enumerate((_with_the_frames_before(stress), stress)):
            targets[layer][row, :frames] = coarse[:, layer]
            weights[layer][row, :frames] = weight
        if example.is_whole and frames == example.num_frames:
            targets[0][row, frames] = layout.codebook_size
            weights[0][row, frames] = END_WEIGHT
        if example.first_frame:
            weights[0][row, 0] = 0  # nobody can know it: what came before was not read
        for layer in range(COARSE_LAYERS):
            rivals[layer][row] = targets[layer][row]
        if example.rival is not None:
            rival = example.rival[:COARSE_LAYERS, :frames].astype(np.int64)
            rivals[0][row, :frames] = rival[0]
            rivals[1][row, :frames] = np.where(rival[0] == coarse[:, 0], rival[1], coarse[:, 1])
        phases[:, row] = phases_of(example, frame_room)
    return CoarseBatch(
        ids=torch.from_numpy(ids),
        positions=torch.from_numpy(positions),
        places=torch.from_numpy(places),
        targets=(torch.from_numpy(targets[0]), torch.from_numpy(targets[1])),
        weights=(torch.from_numpy(weights[0]), torch.from_numpy(weights[1])),
        rivals=(torch.from_numpy(rivals[0]), torch.from_numpy(rivals[1])),
        onsets=torch.from_numpy(onsets),
        phases=torch.from_numpy(phases),
        plans=plan_labels(example.plan for example in examples),
    )


def _with_the_frames_before(stress: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Each frame's own stress, or what one of the next has if that is more."""
    ahead = np.pad(stress, (0, WAITING_FRAMES))
    most: npt.NDArray[np.float32] = np.lib.stride_tricks.sliding_window_view(ahead, 1 + WAITING_FRAMES).max(axis=1)
    return most


def _in_first_phrases(example: Example) -> npt.NDArray[np.bool_]:
    """For each frame of a song whether an instrument began within the phrase's length before it."""
    plan, found = example.plan, np.zeros(example.first_frame + example.num_frames, bool)
    begins = example.composition.first_starts()
    for name in plan.instruments & begins.keys():
        found[begins[name] : begins[name] + PHRASE_BARS * plan.bar_frames] = True
    return found[example.first_frame :]
