"""Generated songs: held-out requests through the project's own backbone, many at once, each kept as it is finished.

Track i is asked for by song i of the held-out seed and drawn with seed i, so a set can be grown without starting over.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.codes import CoarseCodes, CodeArray
from core.engine import BackboneTask, Unwatched
from core.request import GenerationRequest, SamplingOptions
from core.token_layout import COARSE_LAYERS
from training.assemble import LONGEST
from training.corpus.dataset import HELD_OUT_SEED, Song, song
from training.corpus.grid import frames_in
from training.evaluation.subject import Subject

MINUTES = 1
"""What most meters listen to."""
LONG_MINUTES = 3

_BATCH = 24
"""Tracks at once: about a gigabyte of keys and values."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GeneratedSong:
    """The song whose request was asked, and the codes [frames, 2] that came; none when the model ended at once."""

    index: int
    asked: Song
    coarse: CodeArray

    @property
    def ended(self) -> bool:
        """Whether the model ended the song itself."""
        return 0 < len(self.coarse) < most_frames(self.asked.request.duration_minutes)


def most_frames(minutes: int = MINUTES) -> int:
    """Where songs are cut, as they are when they are served; one that is did not end by itself."""
    return round(LONGEST * frames_in(minutes))


def held_out_song(index: int, minutes: int = MINUTES, *, pasted: bool = False) -> Song:
    """Song number ``index`` of those that no training may use; with ``pasted`` lyrics all are sung."""
    return song(HELD_OUT_SEED, index, minutes=(minutes,), sung=pasted, pasted=pasted)


def generate_songs(
    subject: Subject,
    count: int,
    sampling: SamplingOptions,
    work: Path,
    *,
    minutes: int = MINUTES,
    pasted: bool = False,
) -> list[GeneratedSong]:
    """Songs 0 … ``count`` − 1; those that lie in ``work`` are read, the others written there."""
    name = f"songs-{subject.backbone}-{sampling.temperature:g}-{sampling.top_k_backbone}"
    if minutes != MINUTES:
        name += f"-{minutes}-minutes"
    if pasted:
        name += "-pasted"
    asked = [held_out_song(index, minutes, pasted=pasted) for index in range(count)]
    directory = work / name
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"{index:04d}.npy" for index in range(count)]
    missing = [index for index in range(count) if not paths[index].exists()]
    if missing:
        with subject.engine.backbone() as backbone:
            for first in range(0, len(missing), _BATCH):
                batch = missing[first : first + _BATCH]
                logger.info("generating songs %d to %d of %d", batch[0] + 1, batch[-1] + 1, count)
                tasks = [_task(subject, index, asked[index].request, sampling) for index in batch]
                for index, result in zip(batch, backbone.generate(tasks, Unwatched()), strict=True):
                    nothing = np.zeros((0, COARSE_LAYERS), np.int16)
                    codes = result.values if isinstance(result, CoarseCodes) else nothing
                    unfinished = paths[index].with_suffix(".part.npy")
                    np.save(unfinished, codes)
                    unfinished.replace(paths[index])
    return [GeneratedSong(index=index, asked=asked[index], coarse=np.load(path)) for index, path in enumerate(paths)]


def _task(subject: Subject, index: int, request: GenerationRequest, sampling: SamplingOptions) -> BackboneTask:
    return BackboneTask(
        prompt=subject.backbone_prompt(request),
        seed=index,
        top_k=sampling.top_k_backbone,
        temperature=sampling.temperature,
        max_frames=most_frames(request.duration_minutes),
        expected_tokens=COARSE_LAYERS * most_frames(request.duration_minutes),
    )
