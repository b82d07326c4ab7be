"""``backend verify``: it finds equal what is equal, sees rounding for what it is, and passes no wrong engine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.__main__ import main
from models.checkpoint.transformer_weights import Fc1Bias
from models.checkpoint.tree import find_checkpoints
from models.engine_native import NativeEngine
from models.verify.agreement import Agreement, Reference, signal_to_noise_db
from models.verify.foretelling import NativeForeteller
from models.verify.report import is_sound, report
from models.verify.verification import CPU, PLAIN, Bench, Verification, verify

FRAMES = 8


@pytest.fixture(scope="module")
def found(miniature: Path) -> Verification:
    return verify(miniature, device="cpu", dtype="float32", frames=FRAMES)


@pytest.fixture(scope="module")
def bench(miniature: Path) -> Bench:
    return Bench(NativeEngine.open(miniature, device="cpu"), find_checkpoints(miniature))


@pytest.fixture(scope="module")
def reference(bench: Bench) -> Reference:
    plain = bench.transformers(CPU, PLAIN)
    return bench.reference(NativeForeteller(*plain, bench.engine.layout), FRAMES)


def test_float32_is_served_as_it_is_and_megatron_core_agrees(found: Verification) -> None:
    megatron = next(variant for variant in found.variants if variant.name.startswith("megatron-core"))
    assert (found.serving, found.frames, found.served_equal) == ("float32 on cpu", FRAMES, 1.0)
    assert Agreement.mean([megatron.agreement.backbone, *megatron.agreement.layers]).worst < 1e-4
    assert set(megatron.agreement.chain_equal) == {1.0}
    assert is_sound(found)
    assert "Sound: what is served is float32 itself." in report(found)


def test_bfloat16_is_rounding_that_grows_along_the_chain(found: Verification) -> None:
    half = next(variant for variant in found.variants if variant.name == "bfloat16 on cpu")
    equal = half.agreement.chain_equal
    assert 0 < half.agreement.backbone.divergence < 1e-3
    assert np.mean(equal[:5]) > np.mean(equal[-20:])
    assert is_sound(replace(found, serving="bfloat16 on cpu"))


def test_an_engine_that_counts_a_bias_wrongly_is_not_passed(
    bench: Bench, reference: Reference, found: Verification
) -> None:
    doubled = bench.transformers(CPU, PLAIN, fc1_bias=Fc1Bias.TWICE)
    for model in doubled:
        model.get_parameter("blocks.0.ffn.gate_up.bias").add_(0.5)  # the miniature's own biases are small
    for name in ("float32 on cpu", "megatron-core, float32 on cpu"):
        wrong = name, NativeForeteller(*doubled, bench.engine.layout)
        doubtful = replace(found, variants=tuple(bench.variants([wrong], reference)))
        assert not is_sound(doubtful)
        assert "Doubtful" in report(doubtful)
    assert not is_sound(replace(found, served_equal=0.9))


def test_equal_audio_has_no_noise_and_a_tenth_is_twenty_decibels() -> None:
    tone = np.sin(np.arange(1000, dtype=np.float32))[None]
    assert signal_to_noise_db(tone, tone) == float("inf")
    assert signal_to_noise_db(tone, np.float32(0.9) * tone) == pytest.approx(20, abs=1e-3)


def test_the_command_prints_figures_for_programs(miniature: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(miniature), "--device", "cpu", "--frames", "2", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["fc1_bias"] == "once"
    assert len(figures["variants"][0]["agreement"]["layers"]) == 62


def test_the_command_refuses_no_frames(miniature: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(miniature), "--frames", "0"]) == 1
    assert "--frames must be at least 1" in capsys.readouterr().err
