"""The whole recipe in miniature: from nothing to a checkpoint that loads and makes a song."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.engine import RuntimeMode
from models.engine_native import NativeEngine
from training.assemble import LONGEST, SUGGESTED_MINUTES, assemble
from training.demo import train_demo


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demo")
    assert train_demo(root / "out", "miniature", torch.device("cpu"))
    assemble(root / "out", root / "checkpoint", "khala-demo-test")
    return root / "checkpoint"


def test_the_recipe_ends_in_a_checkpoint_the_engine_reads(checkpoint: Path) -> None:
    engine = NativeEngine.open(checkpoint, device="cpu", runtime_mode=RuntimeMode.ONE_SHOT)
    assert engine.description.checkpoint == "khala-demo-test"
    assert engine.description.trained
    assert engine.description.longest == LONGEST
    assert engine.description.suggested_minutes == SUGGESTED_MINUTES
    assert sorted(path.name for path in (checkpoint / "training").iterdir()) == [
        "backbone.csv",
        "codec_quality.json",
        "finish.csv",
        "superres.csv",
    ]
