"""How a song ends: at the model's own word, on a frame, or not before the first one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from core.codes import CoarseCodes
from core.engine import BackboneTask
from core.errors import DeviceOutOfMemory, EmptyGeneration, GenerationError
from core.token_layout import TokenLayout
from models.backbone import DecodeBatch, NativeBackbone
from models.checkpoint.miniature import TRANSFORMER, random_transformer
from models.transformer.model import Transformer
from tests.fakes.watch import RecordingWatch

LAYOUT = TokenLayout(text_vocab_size=16, codebook_size=32, num_quantizers=4)


def _generate(model: Transformer, seeds: list[int], **changes: object) -> list[CoarseCodes | GenerationError]:
    prompt = np.array([LAYOUT.begin_of_text, 3, LAYOUT.begin_of_audio], np.int32)
    values = {"prompt": prompt, "top_k": 200, "temperature": 1.0, "max_frames": 60, "expected_tokens": 120} | changes
    tasks = [BackboneTask(seed=seed, **values) for seed in seeds]  # type: ignore[arg-type]
    return NativeBackbone(model, LAYOUT).generate(tasks, RecordingWatch())


@pytest.fixture
def model() -> Transformer:
    return random_transformer(TRANSFORMER, LAYOUT.vocab_size(2), torch.Generator().manual_seed(3))


def test_songs_of_one_batch_end_each_at_its_own_frame(model: Transformer) -> None:
    results = _generate(model, list(range(12)))
    lengths = [result.num_frames for result in results if isinstance(result, CoarseCodes)]
    assert len(set(lengths)) > 3
    assert min(lengths) < 60
    for seed, together in enumerate(results):
        (alone,) = _generate(model, [seed])
        assert type(alone) is type(together)
        if isinstance(alone, CoarseCodes) and isinstance(together, CoarseCodes):
            assert np.array_equal(alone.values, together.values)


def test_a_song_that_ends_at_once_is_an_error_that_says_so(model: Transformer) -> None:
    model.output.weight.zero_()
    end = LAYOUT.end_of_generation - model.first_output_row
    # The end row has a logit of +big wherever the hidden state has any length at all.
    hidden = model(
        model.embed(torch.tensor([[LAYOUT.begin_of_text, 3, LAYOUT.begin_of_audio]])),
        model.rotation(torch.arange(3)),
        lambda layer, q, k, v: torch.nn.functional.scaled_dot_product_attention(
            q, k, v, is_causal=True, enable_gqa=True
        ),
    )[0, -1]
    model.output.weight[end] = hidden * 100
    (result,) = _generate(model, [0])
    assert isinstance(result, EmptyGeneration)
    assert "before its first note" in str(result)


def test_tokens_stay_in_the_window_of_their_layer(model: Transformer) -> None:
    results = _generate(model, [1, 2], max_frames=30)
    for result in results:
        assert isinstance(result, CoarseCodes)
        assert result.values.min() >= 0
        assert result.values.max() < LAYOUT.codebook_size


def test_each_track_of_a_batch_has_its_own_limit(model: Transformer) -> None:
    end = LAYOUT.end_of_generation - model.first_output_row
    model.output.weight[end] = 0
    prompt = np.array([LAYOUT.begin_of_text, LAYOUT.begin_of_audio], np.int32)
    tasks = [
        BackboneTask(prompt=prompt, seed=seed, top_k=5, temperature=1.0, max_frames=frames, expected_tokens=40)
        for seed, frames in ((1, 3), (2, 20))
    ]
    results = NativeBackbone(model, LAYOUT).generate(tasks, RecordingWatch())
    assert [result.num_frames for result in results if isinstance(result, CoarseCodes)] == [3, 20]


@pytest.mark.parametrize("failure", [DeviceOutOfMemory, GenerationError])
def test_a_song_that_has_ended_survives_when_memory_runs_out_or_numbers_do(
    model: Transformer, monkeypatch: pytest.MonkeyPatch, failure: type[GenerationError]
) -> None:
    seeds = list(range(12))
    whole = _generate(model, seeds)
    lengths = [result.num_frames if isinstance(result, CoarseCodes) else 0 for result in whole]
    enough, steps = min(length for length in lengths if length), itertools.count()
    step = DecodeBatch.step

    def runs_out(batch: DecodeBatch) -> None:
        fails = next(steps) > 2 * enough
        if fails and failure is DeviceOutOfMemory:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        step(batch)
        if fails:
            batch._hidden_B1H.fill_(float("nan"))

    monkeypatch.setattr(DecodeBatch, "step", runs_out)
    results = _generate(model, seeds)
    assert {type(result) for result in results} >= {CoarseCodes, failure}
    for length, expected, result in zip(lengths, whole, results, strict=True):
        if length > enough:
            assert isinstance(result, failure)
            assert (result.__traceback__, result.__context__) == (None, None), "they would hold the batch's memory"
        elif isinstance(expected, CoarseCodes):
            assert isinstance(result, CoarseCodes) and np.array_equal(expected.values, result.values)


def test_logits_are_float32_in_a_narrow_model(model: Transformer) -> None:
    narrow = model.bfloat16()
    hidden = torch.ones(1, narrow.config.hidden_size, dtype=torch.bfloat16)
    assert narrow.logits(hidden, LAYOUT.window(0)).dtype == torch.float32


def test_a_song_that_outgrows_its_room_goes_on_as_if_it_had_always_had_it(model: Transformer) -> None:
    model.output.weight[LAYOUT.end_of_generation - model.first_output_row] = 0
    tight, roomy = (_generate(model, [1, 2], top_k=5, max_frames=400, expected_tokens=tokens) for tokens in (1, 2000))
    for one, other in zip(tight, roomy, strict=True):
        assert isinstance(one, CoarseCodes) and isinstance(other, CoarseCodes)
        assert one.num_frames > 256, "not a song that needs more than one window"
        assert np.array_equal(one.values, other.values)
