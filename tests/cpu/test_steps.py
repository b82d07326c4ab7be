"""A step of the kernels is the transformer's own, and the same whoever takes it beside whom."""

from __future__ import annotations

import copy
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.checkpoint.miniature import random_transformer
from models.cpu.attention import CHUNK
from models.cpu.steps import CpuStepModel
from models.cpu.weights import as_array, narrowest
from models.decode_steps import TorchStepModel, step_model
from models.transformer.attention import attend_causal
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer
from models.transformer.quantize import quantize_blocks

USUAL = TransformerConfig(num_layers=2, hidden_size=64, num_heads=4, num_groups=2, head_size=16, ffn_size=160)
UNEVEN = TransformerConfig(num_layers=2, hidden_size=50, num_heads=9, num_groups=3, head_size=10, ffn_size=77)
"""Nothing is a multiple of what a tile or a register takes."""
UNBIASED = replace(USUAL, linear_bias=False)
VOCAB = 301
MATRICES = ("attention.qkv", "attention.out", "ffn.gate_up", "ffn.down")
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


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_tracks_of_any_length_are_each_as_they_are_alone(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = _model(USUAL, "bfloat16")
    lengths = [2 * CHUNK + 76, 5, CHUNK - 1, CHUNK, 1]
    tracks = [row[: length + 3] for row, length in zip(_ids(5, max(lengths) + 3), lengths, strict=True)]
    alone = torch.cat([_follow(model, [track], 3) for track in tracks])
    monkeypatch.setattr("models.cpu.steps._BYTES_A_THREAD", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert torch.equal(_follow(model, tracks, 3), alone)


def test_blocks_in_bfloat16_step_in_float32() -> None:
    model = _model(USUAL, "bfloat16")
    half = copy.deepcopy(model)
    half.blocks.to(torch.bfloat16)
    ids = list(_ids(2, 20))
    assert torch.equal(_follow(half, ids, 5, reader=model), _follow(model, ids, 5)), "behind the same prompt"


@pytest.mark.parametrize("name", [*MATRICES, "attention_norm"])
def test_what_is_not_a_number_is_noticed_in_its_own_track(name: str) -> None:
    ids = _ids(3, 20)
    broken = _model(USUAL, "float32")
    weight = broken.blocks[0].get_submodule(name).weight
    assert isinstance(weight, torch.Tensor)
    weight.view(-1)[7] = float("nan")
    assert _follow(broken, list(ids), 2).isnan().any(-1).all(), name
    model = _model(USUAL, "float32")
    model.embedding.weight[VOCAB - 1] = float("nan")
    ids[1, -1] = VOCAB - 1
    assert _follow(model, list(ids.clamp_max(VOCAB - 1)), 1).isnan().any(-1).flatten().tolist() == [False, True, False]


def test_there_is_no_step_behind_the_last_position() -> None:
    model = _model(USUAL, "float32")
    steps = CpuStepModel(model).begin(batch=1, room=1, most=1)
    token = model.embed(torch.tensor([[3]]))
    steps.hidden(token, steps.next_window())
    with pytest.raises(IndexError, match="1 positions"):
        steps.hidden(token, steps.next_window())


def test_a_cpu_without_numba_takes_torchs_steps_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = _model(USUAL, "float32")
    assert isinstance(step_model(model), CpuStepModel)
    monkeypatch.setitem(sys.modules, "models.cpu.steps", None)
    assert isinstance(step_model(model), TorchStepModel)
    assert "several times as long" in caplog.text


@pytest.mark.parametrize(("bits", "share"), [("float32", 1), ("float16", 0.5), ("bfloat16", 0.5), ("int8", 0.25)])
def test_matrices_are_in_memory_once_in_the_fewest_bits(bits: str, share: float) -> None:
    model = _model(USUAL, bits)
    numbers = sum(_matrix(model, name).numel() for name in MATRICES)
    blocks = CpuStepModel(model)._blocks
    assert sum(_matrix(model, name).nbytes for name in MATRICES) == 4 * share * numbers
    for name, kind in zip(MATRICES, (blocks.qkv, blocks.out, blocks.gate_up, blocks.down), strict=True):
        assert np.shares_memory(as_array(_matrix(model, name)), kind.weight)


def test_weights_that_would_change_keep_their_bits() -> None:
    exact = torch.randn(32, 48, generator=torch.Generator().manual_seed(0))
    half, short = exact.half().float(), exact.bfloat16().float()
    assert narrowest([exact]) == torch.float32
    assert narrowest([half]) == torch.float16
    assert narrowest([half * 2.0**-20]) == torch.float32, "too small for half precision"
    assert narrowest([half * 1e6]) == torch.float32, "too large for it"
    assert narrowest([short * 2.0**100]) == torch.bfloat16
    assert narrowest([short.half().float(), half]) == torch.float16, "one format for all"
    assert narrowest([exact.fill_(float("nan"))]) == torch.float32


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


def _steps(model: Transformer, ids: torch.Tensor, prompt: int, steps: int) -> torch.Tensor:
    """Hidden states [B, steps, H] behind each token after the prompt."""
    return _follow(model, list(ids[:, : prompt + steps]), steps)


@torch.inference_mode()
def _follow(
    model: Transformer, tracks: list[torch.Tensor], steps: int, *, reader: Transformer | None = None
) -> torch.Tensor:
    """Hidden states [B, steps, H] behind the last tokens of tracks of any length; ``reader`` reads what is before."""
    lengths = [len(track) - steps for track in tracks]
    track_steps = CpuStepModel(model).begin(batch=len(tracks), room=1, most=max(lengths) + steps)
    for row, (track, length) in enumerate(zip(tracks, lengths, strict=True)):
        prompt = model.embed(track[None, :length])
        (reader or model)(prompt, model.rotation(torch.arange(length)), track_steps.prefill([row], length))
    tokens = torch.stack([track[length:] for track, length in zip(tracks, lengths, strict=True)]).T.unsqueeze(-1)
    hidden = [track_steps.hidden(model.embed(token), track_steps.next_window()) for token in tokens]
    return torch.cat(hidden, dim=1)
