"""On a GPU everything stays there: shown without one, on a stand-in where no number can be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.engine import BackboneTask
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.backbone import NativeBackbone
from models.checkpoint.miniature import TRANSFORMER
from models.decode_steps import TorchSteps
from models.megatron.gpt import MegatronGpt
from models.megatron.process_group import device_of, process_group
from models.transformer.attention import attend_full
from models.transformer.kv_cache import WINDOW_STEP
from models.transformer.model import Transformer
from models.verify.foretelling import hidden_states
from tests.fakes.one_device import ELSEWHERE, OneDevice

LAYOUT = TokenLayout(text_vocab_size=100, codebook_size=32, num_quantizers=4)
TRACKS, PROMPT = 2, WINDOW_STEP - 40


@pytest.fixture
def model() -> Transformer:
    with ELSEWHERE:
        return Transformer(TRANSFORMER, vocab_size=LAYOUT.vocab_size(COARSE_LAYERS)).requires_grad_(False)


def test_the_stand_in_notices_what_a_gpu_would() -> None:
    there, here = torch.zeros(3, device=ELSEWHERE, dtype=torch.long), torch.zeros(3, dtype=torch.long)
    with OneDevice():
        with pytest.raises(AssertionError, match="tensors on"):
            torch.take(there, here)
        with pytest.raises(RuntimeError, match="meta"):
            there.sum().item()
        there.copy_(here)


@torch.inference_mode()
def test_native_steps_neither_leave_the_device_nor_read_from_it(model: Transformer) -> None:
    task = BackboneTask(
        prompt=np.arange(PROMPT, dtype=np.int32),
        seed=0,
        top_k=5,
        temperature=1.0,
        max_frames=20,
        expected_tokens=1,
    )
    with OneDevice():
        batch = NativeBackbone(model, LAYOUT, graphs=False).begin([task] * TRACKS)
        for _ in range(PROMPT, WINDOW_STEP + 4):
            batch.step()
    assert isinstance(batch._steps, TorchSteps)
    assert batch._steps._cache.keys[0].shape[2] > WINDOW_STEP, "it grew on the way"


@torch.inference_mode()
def test_native_passes_over_whole_songs_stay_on_the_device(model: Transformer) -> None:
    rows = torch.zeros(PROMPT, TRANSFORMER.hidden_size, device=ELSEWHERE)
    with OneDevice():
        assert hidden_states(model, rows, attend_full).device == ELSEWHERE


def test_megatrons_model_stays_on_the_device(model: Transformer, tmp_path: Path) -> None:
    ids = torch.zeros(TRACKS, PROMPT, dtype=torch.long, device=ELSEWHERE)
    embedded = torch.zeros(TRACKS, PROMPT, TRANSFORMER.hidden_size, device=ELSEWHERE)
    with process_group(tmp_path / "store", ELSEWHERE), OneDevice():
        gpt = MegatronGpt(model, room=WINDOW_STEP)
        assert gpt.causal_logits(ids).device == ELSEWHERE
        assert gpt.bidirectional_hidden(embedded).device == ELSEWHERE
        context, logits = gpt.begin(ids, room=WINDOW_STEP)
        assert gpt.follow(context, logits.argmax(-1)).device == ELSEWHERE


def test_ranks_have_a_gpu_each_and_share_a_cpu() -> None:
    assert device_of(1, torch.device("cuda")) == torch.device("cuda:1")
    assert device_of(1, torch.device("cuda:2")) == torch.device("cuda:3")
    assert device_of(1, torch.device("cpu")) == torch.device("cpu")
