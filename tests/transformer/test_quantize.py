"""Weights in eight bits: half the memory of bfloat16, an error below half a step, the same song from the same seed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.pipeline import Song, SongPipeline
from core.request import GenerationRequest, Mode
from models.checkpoint.miniature import TRANSFORMER, random_transformer
from models.engine_native import NativeEngine
from models.transformer.linear import Linear
from models.transformer.quantize import Int8Linear, quantize_blocks
from tests.fakes.watch import RecordingWatch


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_rounded_weight_is_less_than_half_a_step_away(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    exact = Linear(48, 32).to(dtype).requires_grad_(False)
    rounded = Int8Linear(exact)
    steps = exact.weight.float().abs().amax(1, keepdim=True) / 127
    restored = rounded.weight.float() * rounded.scale.float()[:, None]
    assert ((restored - exact.weight.float()).abs() <= 0.51 * steps).all()
    assert int(rounded.weight.abs().max()) == 127
    x = torch.randn(2, 5, 48, dtype=dtype)
    assert rounded(x).dtype == dtype
    torch.testing.assert_close(rounded(x), exact(x), atol=0.05, rtol=0.05)


def test_a_row_of_zeros_stays_zero() -> None:
    exact = Linear(8, 4, bias=False).requires_grad_(False)
    exact.weight[1] = 0
    assert (Int8Linear(exact)(torch.randn(1, 3, 8))[..., 1] == 0).all()


def test_the_blocks_take_half_of_bfloat16s_memory() -> None:
    model = random_transformer(TRANSFORMER, 300, torch.Generator().manual_seed(1)).to(torch.bfloat16)
    matrices = sum(block.get_parameter(name).nbytes for block in model.blocks for name in _MATRICES)
    quantize_blocks(model)
    halved = sum(block.get_buffer(name).nbytes for block in model.blocks for name in _MATRICES)
    assert halved * 2 == matrices
    assert not [module for module in model.blocks.modules() if isinstance(module, Linear)]


_MATRICES = ("attention.qkv.weight", "attention.out.weight", "ffn.gate_up.weight", "ffn.down.weight")


def test_an_engine_serves_it_and_says_so(miniature: Path) -> None:
    engine = NativeEngine.open(miniature, device="cpu", dtype="float32", quantize="int8")
    assert engine.description.dtype == "float32 with int8 weights"
    request = GenerationRequest(mode=Mode.INSTRUMENTAL, tags="Jazz")
    songs = []
    for seeds in ([7], [3, 7]):
        outcomes = list(SongPipeline(engine).run(request, seeds, RecordingWatch(), max_seconds=0.5))
        last = next(outcome.result for outcome in outcomes if outcome.track == len(seeds) - 1)
        assert isinstance(last, Song)
        songs.append(last.codes.values)
    assert (songs[0] == songs[1]).all()
