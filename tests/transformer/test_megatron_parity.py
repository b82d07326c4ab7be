"""The project's transformer gives megatron-core's numbers, float32, 1e-5."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from models.checkpoint.miniature import TRANSFORMER, random_transformer
from models.cpu.steps import CpuStepModel
from models.decode_steps import TorchStepModel, TrackSteps
from models.megatron.gpt import MegatronGpt
from models.megatron.process_group import process_group
from models.transformer.attention import attend_causal, attend_full
from models.transformer.model import Transformer

VOCAB_SIZE = 300
PROMPT, STEPS = 9, 7


@pytest.fixture(scope="module")
def model() -> Transformer:
    return random_transformer(TRANSFORMER, VOCAB_SIZE, torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def reference(model: Transformer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MegatronGpt]:
    directory: Path = tmp_path_factory.mktemp("process-group")
    with process_group(directory / "store", model.device):
        yield MegatronGpt(model, room=64)


@pytest.fixture(scope="module")
def ids() -> torch.Tensor:
    return torch.randint(0, VOCAB_SIZE, (2, PROMPT + STEPS), generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def _causal_logits(model: Transformer, ids: torch.Tensor) -> torch.Tensor:
    hidden = model(model.embed(ids), model.rotation(torch.arange(ids.shape[1])), attend_causal)
    return model.logits(hidden, range(VOCAB_SIZE))


def test_causal_logits_are_megatrons(model: Transformer, reference: MegatronGpt, ids: torch.Tensor) -> None:
    torch.testing.assert_close(_causal_logits(model, ids), reference.causal_logits(ids), atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_bidirectional_hidden_states_are_megatrons(
    model: Transformer, reference: MegatronGpt, ids: torch.Tensor
) -> None:
    embedded = model.embed(ids)
    hidden = model(embedded, model.rotation(torch.arange(ids.shape[1])), attend_full)
    torch.testing.assert_close(hidden, reference.bidirectional_hidden(embedded), atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_half_precision_reads_tables_that_are_kept_in_full(
    model: Transformer, reference: MegatronGpt, ids: torch.Tensor
) -> None:
    half = copy.deepcopy(model)
    half.blocks.to(torch.bfloat16)
    embedded = half.embed(ids)
    assert embedded.dtype == torch.float32
    hidden = MegatronGpt(half, room=64).bidirectional_hidden(embedded)
    torch.testing.assert_close(hidden.float(), reference.bidirectional_hidden(embedded), atol=0.1, rtol=0.05)


@pytest.fixture(params=[TorchStepModel, CpuStepModel], ids=["torch's", "kernels"])
def step_model(request: pytest.FixtureRequest, model: Transformer) -> TorchStepModel | CpuStepModel:
    made: TorchStepModel | CpuStepModel = request.param(copy.deepcopy(model))
    return made


@torch.inference_mode()
def _begun(model: Transformer, step_model: TorchStepModel | CpuStepModel, prompts: list[torch.Tensor]) -> TrackSteps:
    """Steps behind the prompts, each of which is read by itself."""
    steps = step_model.begin(batch=len(prompts), room=64, most=64)
    for row, prompt in enumerate(prompts):
        rotation = model.rotation(torch.arange(len(prompt)))
        model(model.embed(prompt[None]), rotation, steps.prefill([row], len(prompt)))
    return steps


@torch.inference_mode()
def _cached_logits(model: Transformer, step_model: TorchStepModel | CpuStepModel, ids: torch.Tensor) -> torch.Tensor:
    """Logits behind each token after the prompt."""
    steps = _begun(model, step_model, list(ids[:, :PROMPT]))
    hidden = [steps.hidden(model.embed(token[:, None]), steps.next_window()) for token in ids[:, PROMPT:].T]
    return model.logits(torch.cat(hidden, dim=1), range(VOCAB_SIZE))


def test_cached_decoding_is_megatrons(
    model: Transformer, step_model: TorchStepModel | CpuStepModel, reference: MegatronGpt, ids: torch.Tensor
) -> None:
    context, _ = reference.begin(ids[:, :PROMPT], room=64)
    expected = torch.stack([reference.follow(context, token) for token in ids[:, PROMPT:].T], dim=1)
    torch.testing.assert_close(_cached_logits(model, step_model, ids), expected, atol=1e-5, rtol=1e-5)


def test_cached_decoding_is_the_uncached_one(
    model: Transformer, step_model: TorchStepModel | CpuStepModel, ids: torch.Tensor
) -> None:
    uncached = _causal_logits(model, ids)[:, PROMPT:]
    torch.testing.assert_close(_cached_logits(model, step_model, ids), uncached, atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_tracks_of_different_length_share_a_cache(
    model: Transformer, step_model: TorchStepModel | CpuStepModel, ids: torch.Tensor
) -> None:
    lengths = [PROMPT, PROMPT - 4]
    steps = _begun(model, step_model, [ids[row, :length] for row, length in enumerate(lengths)])
    token = torch.stack([ids[row, length] for row, length in enumerate(lengths)])
    hidden = steps.hidden(model.embed(token[:, None]), steps.next_window())
    for row, length in enumerate(lengths):
        alone = _causal_logits(model, ids[row : row + 1, : length + 1])[0, -1]
        torch.testing.assert_close(model.logits(hidden, range(VOCAB_SIZE))[row, 0], alone, atol=1e-5, rtol=1e-5)
