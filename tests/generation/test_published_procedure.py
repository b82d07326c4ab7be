"""The engine makes the song that the published procedure, computed plainly, makes of the same weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.pipeline import Song, SongPipeline
from core.request import GenerationRequest, Mode, PromptMode, SamplingOptions
from models.checkpoint.torch_dist import TorchDistSource, iteration_directory
from models.engine_native import NativeEngine
from tests.fakes.watch import RecordingWatch
from tests.generation.published_procedure import PublishedProcedure, greedy_coarse, greedy_layers

FRAMES = 10
GREEDY = SamplingOptions(top_k_backbone=1, top_k_superres=1)
REQUESTS = {
    "sung": GenerationRequest(tags="Jazz, Piano", lyrics="[Verse]\nla la、la", duration_minutes=2, sampling=GREEDY),
    "described": GenerationRequest(
        mode=Mode.INSTRUMENTAL, prompt_mode=PromptMode.NATURAL, prompt="calm rain", sampling=GREEDY
    ),
}


def _procedure(root: Path, *, bias_count: int) -> PublishedProcedure:
    source = TorchDistSource(iteration_directory(root))
    tensors = {name: source.read(name) for name in source.shapes}
    return PublishedProcedure(tensors, heads=4, groups=2, head_size=16, layers=2, bias_count=bias_count)


@pytest.mark.parametrize(("fc1_bias", "bias_count"), [("once", 1), ("twice", 2)])
@pytest.mark.parametrize("kind", REQUESTS)
@torch.inference_mode()
def test_greedy_songs_are_those_of_the_published_procedure(
    miniature: Path, kind: str, fc1_bias: str, bias_count: int
) -> None:
    engine = NativeEngine.open(miniature, device="cpu", dtype="float32", fc1_bias=fc1_bias)
    seconds = FRAMES / engine.audio_format.frames_per_second
    (outcome,) = SongPipeline(engine).run(REQUESTS[kind], [0], RecordingWatch(), max_seconds=seconds)
    song = outcome.result
    assert isinstance(song, Song)

    base = engine.layout.audio_base
    coarse = greedy_coarse(
        _procedure(miniature / "backbone", bias_count=bias_count),
        song.saved.backbone_prompt.tolist(),
        audio_base=base,
        frames=FRAMES,
    )
    assert np.array_equal(song.codes.coarse.values, coarse.numpy())
    superres_prompt = song.saved.superres_prompt.tolist()
    layers = greedy_layers(
        _procedure(miniature / "superresolution", bias_count=bias_count),
        superres_prompt,
        coarse,
        audio_base=base,
        padded_rows=len(superres_prompt) + FRAMES + 13,
    )
    assert np.array_equal(song.codes.values, layers.numpy())
