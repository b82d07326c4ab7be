"""A step of the kernels is the transformer's own, and the same whoever takes it beside whom."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from models.checkpoint.miniature import random_transformer
from models.cpu.attention import CHUNK
from models.cpu.steps import CpuStepModel
from models.cpu.weights import narrowest
from models.transformer.attention import attend_causal
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer
from models.transformer.quantize import quantize_blocks

USUAL = TransformerConfig(num_layers=2, hidden_size=64, num_heads=4, num_groups=2, head_size=16, ffn_size=160)
UNEVEN = TransformerConfig(num_layers=2, hidden_size=50, num_heads=9, num_groups=3, head_size=10, ffn_size=77)
"""Nothing is a multiple of what a tile or a register takes."""
UNBIASED = replace(USUAL, linear_bias=False)
VOCAB = 301
ACROSS = CHUNK - 2, 5
"""A prompt and steps behind it that pass from one chunk to the next."""


@pytest.mark.parametrize("config", [USUAL, UNEVEN, UNBIASED], ids=["usual", "uneven", "no bias"])
@pytest.mark.parametrize("bits", ["float32", "float16", "bfloat16", "int8"])
def test_steps_give_what_the_transformer_gives(config: TransformerConfig, bits: str) -> None:
    model = _model(config, bits)
    ids = _ids(2, sum(ACROSS))
    expected = model(model.embed(ids), model.rotation(torch.arange(ids.shape[1])), attend_causal)[:, ACROSS[0] :]
    torch.testing.assert_close(_steps(model, ids, *ACROSS), expected, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize("config", [USUAL, UNEVEN], ids=["usual", "uneven"])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_neither_neighbours_nor_threads_change_a_number(
    config: TransformerConfig, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = _model(config, "bfloat16")
    ids = _ids(5, sum(ACROSS))
    alone = torch.cat([_steps(model, row[None], *ACROSS) for row in ids])
    monkeypatch.setattr("models.cpu.steps._BYTES_A_THREAD", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    for tracks in (2, 3, 5):
        assert torch.equal(_steps(model, ids[:tracks], *ACROSS), alone[:tracks])


def test_a_head_gives_logits_that_do_not_depend_on_neighbours() -> None:
    steps = CpuStepModel(_model(USUAL, "float32"))
    weight, hidden = torch.randn(1025, 64).bfloat16(), torch.randn(5, 1, 64)
    head = steps.head(weight)
    together = head(hidden)
    torch.testing.assert_close(together, hidden[:, 0] @ weight.float().T, atol=1e-5, rtol=1e-5)
    assert torch.equal(together, torch.cat([head(row[None]) for row in hidden]))
    assert head.nbytes == weight.nbytes


def test_blocks_computed_in_bfloat16_step_in_float32() -> None:
    model = _model(USUAL, "bfloat16")
    ids = _ids(1, sum(ACROSS))
    wide = _steps(model, ids, *ACROSS)
    half = copy.deepcopy(model)
    half.blocks.to(torch.bfloat16)
    torch.testing.assert_close(_steps(half, ids, *ACROSS), wide, atol=0.1, rtol=0.05)


@pytest.mark.parametrize(("bits", "share"), [("float32", 1), ("float16", 0.5), ("bfloat16", 0.5), ("int8", 0.25)])
def test_matrices_are_in_memory_once_in_the_fewest_bits(bits: str, share: float) -> None:
    model = _model(USUAL, bits)
    numbers = sum(_matrix(model, name).numel() for name in MATRICES)
    CpuStepModel(model)
    assert sum(_matrix(model, name).nbytes for name in MATRICES) == 4 * share * numbers


MATRICES = ("attention.qkv", "attention.out", "ffn.gate_up", "ffn.down")


def test_weights_that_would_change_keep_their_bits() -> None:
    weight = torch.randn(32, 48, generator=torch.Generator().manual_seed(0))
    assert narrowest(weight) == torch.float32
    assert narrowest(weight.half().float()) == torch.float16
    assert narrowest(weight.half().float() * 2.0**-20) == torch.float16, "what is lost is smaller than a sum's rounding"
    assert narrowest(weight.half().float() * 1e6) == torch.float32, "too large for half precision"
    assert narrowest(weight.bfloat16().float() * 2.0**100) == torch.bfloat16
    assert narrowest(weight.fill_(float("nan"))) == torch.float32


def _model(config: TransformerConfig, bits: str) -> Transformer:
    """Random weights that so many bits hold."""
    model = random_transformer(config, VOCAB, torch.Generator().manual_seed(1))
    if bits == "int8":
        return quantize_blocks(model)
    for parameter in model.blocks.parameters():
        parameter.copy_(parameter.to(getattr(torch, bits)).float())
    return model


def _matrix(model: Transformer, name: str) -> torch.Tensor:
    weight = model.blocks[0].get_submodule(name).weight
    assert isinstance(weight, torch.Tensor)
    return weight


def _ids(tracks: int, length: int) -> torch.Tensor:
    return torch.randint(0, VOCAB, (tracks, length), generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def _steps(model: Transformer, ids: torch.Tensor, prompt: int, steps: int) -> torch.Tensor:
    """Hidden states [B, steps, H] behind each token after the prompt."""
    track_steps = CpuStepModel(model).begin(batch=len(ids), room=prompt, most=prompt + steps)
    rotation = model.rotation(torch.arange(prompt))
    for row, track in enumerate(ids):
        model(model.embed(track[None, :prompt]), rotation, track_steps.prefill([row], prompt))
    tokens = ids[:, prompt:].T.unsqueeze(-1)
    hidden = [track_steps.hidden(model.embed(token), track_steps.next_window()) for token in tokens]
    return torch.cat(hidden, dim=1)
