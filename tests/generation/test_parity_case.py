"""The stored case of two independent implementations, where it lies beside the project (KHALA_PARITY_CASE names it)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.lyrics import clean_lyrics
from core.pipeline import Song, SongPipeline
from core.request import GenerationRequest, Mode, PromptMode, SamplingOptions
from models.engine_native import NativeEngine
from tests.fakes.watch import RecordingWatch

CASE = Path(os.environ.get("KHALA_PARITY_CASE", Path(__file__).parents[3] / "shared" / "parity"))
FRAMES = 48

pytestmark = pytest.mark.skipif(not (CASE / "expected.npz").exists(), reason=f"no parity case at {CASE}")


@pytest.fixture(scope="module", params=["per_layer", "stacked"])
def checkpoints(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("parity")
    subprocess.run([sys.executable, CASE / "make_mini.py", root, request.param], check=True, capture_output=True)
    return root


@pytest.mark.parametrize("fc1_bias", ["twice", "once"])
def test_ids_codes_and_audio_are_those_of_the_independent_implementations(checkpoints: Path, fc1_bias: str) -> None:
    case = json.loads((CASE / "request.json").read_text())
    body = case["request"]
    request = GenerationRequest(
        mode=Mode(body["mode"]),
        prompt_mode=PromptMode(body["prompt_mode"]),
        prompt=body["prompt"],
        tags=body["tags"],
        lyrics=body["lyrics"],
        duration_minutes=body["duration"],
        sampling=SamplingOptions(top_k_backbone=1, top_k_superres=1),
    )
    assert clean_lyrics(body["lyrics"]) == case["cleaned_lyrics"]
    engine = NativeEngine.open(checkpoints, device="cpu", dtype="float32", fc1_bias=fc1_bias)
    seconds = FRAMES / engine.audio_format.frames_per_second
    (outcome,) = SongPipeline(engine).run(request, [0], RecordingWatch(), max_seconds=seconds)
    song = outcome.result
    assert isinstance(song, Song)
    with np.load(CASE / "expected.npz") as expected:
        assert np.array_equal(song.saved.backbone_prompt, expected[f"{fc1_bias}_backbone_prompt"])
        assert np.array_equal(song.saved.superres_prompt, expected[f"{fc1_bias}_superres_prompt"])
        assert np.array_equal(song.codes.coarse.values, expected[f"{fc1_bias}_coarse"])
        assert np.array_equal(song.codes.values, expected[f"{fc1_bias}_codes"])
        np.testing.assert_allclose(song.audio, expected[f"{fc1_bias}_wave"], atol=1e-4)


def test_published_weights_are_run_with_the_bias_twice(checkpoints: Path) -> None:
    assert NativeEngine.open(checkpoints, device="cpu").description.fc1_bias == "twice"
