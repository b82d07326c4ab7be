"""Half weights are float32 ones in half the memory, or they are not used."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.transformer.half_weights import HalfWeights
from models.transformer.linear import Linear, order_for_steps, weight_bytes

SIZE = (128, 320)


@pytest.fixture
def weight() -> torch.Tensor:
    """As a checkpoint's is when it is read: bfloat16, widened."""
    if torch.backends.quantized.engine not in ("x86", "fbgemm"):
        pytest.skip("FBGEMM multiplies on x86 processors with AVX2 only")
    return torch.randn(SIZE, generator=torch.Generator().manual_seed(0)).bfloat16().float()


def test_weights_that_would_change_are_not_held(weight: torch.Tensor) -> None:
    assert HalfWeights.can_hold(weight)
    assert HalfWeights.can_hold(weight * 2.0**-20), "what is lost is smaller than any sum's rounding"
    assert not HalfWeights.can_hold(weight + torch.randn(SIZE) * 1e-5)
    assert not HalfWeights.can_hold(weight * 1e6), "too large for half precision"
    assert not HalfWeights.can_hold(weight.fill_(float("nan")))
    assert not HalfWeights.can_hold(weight.bfloat16()), "computed in what it is"


@torch.inference_mode()
def test_a_layer_computes_the_same_and_reads_half_as_much(weight: torch.Tensor) -> None:
    layer = Linear(SIZE[1], SIZE[0])
    layer.weight.copy_(weight)
    layers = nn.ModuleList([layer])
    before = weight_bytes(layers)
    rows, step = torch.randn(1, 40, SIZE[1]), torch.randn(3, 1, SIZE[1])
    expected = [layer(x) for x in (rows, step)]
    order_for_steps(layers)
    assert not [name for name, _ in layers.named_parameters() if "weight" in name]
    for x, plain in zip((rows, step), expected, strict=True):
        torch.testing.assert_close(layer(x), plain, atol=1e-4, rtol=1e-5)
    assert weight_bytes(layers) - layer.bias.nbytes == (before - layer.bias.nbytes) / 2


@torch.inference_mode()
def test_more_rows_than_one_product_takes_are_cut_up(weight: torch.Tensor) -> None:
    half = HalfWeights(weight)
    rows = torch.randn(37, 1, SIZE[1])
    alone = torch.cat([half.product(row[None]) for row in rows])
    assert torch.equal(half.product(rows), alone)
