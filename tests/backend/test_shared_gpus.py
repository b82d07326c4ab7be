"""Workers whose model is shared by several GPUs: who gets which, and what is said where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.__main__ import main
from backend.bootstrap import _worker_spec
from backend.settings import ModelSettings, Settings
from backend.workers.devices import UnknownDevice, shared_out


def test_gpus_are_shared_out_among_workers() -> None:
    assert shared_out([0, 1], 1) == [(0,), (1,)]
    assert shared_out([2, 3, 6, 7], 2) == [(2, 3), (6, 7)]
    assert shared_out(["cpu"], 2) == [("cpu",)], "processes share a CPU"
    with pytest.raises(UnknownDevice, match="--gpus names 3 GPUs"):
        shared_out([0, 1, 2], 2)


@pytest.mark.parametrize(
    ("models", "gpus"),
    [
        ({"engine": "megatron", "tensor_parallel": 2}, 2),
        ({"engine": "megatron", "tensor_parallel": 2, "device": "cpu"}, 1),
        ({"engine": "native", "tensor_parallel": 2}, 1),
    ],
)
def test_only_a_megatron_engine_on_gpus_takes_several(models: dict[str, str | int], gpus: int) -> None:
    assert ModelSettings.model_validate(models).gpus_per_worker == gpus


@pytest.mark.parametrize(("listed", "seen"), [(None, "2,3"), ("4,5,6,7", "6,7")])
def test_a_worker_sees_its_own_gpus(monkeypatch: pytest.MonkeyPatch, listed: str | None, seen: str) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if listed:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    spec = _worker_spec(Settings(), 1, (2, 3))
    assert spec.environment["CUDA_VISIBLE_DEVICES"] == seen
    assert spec.gpu_id == 2


def test_one_gpu_is_not_chosen_for_all_workers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KHALA_DEVICE", "cuda:1")
    assert main(["serve", "--gpus", "0,1"]) == 1
    assert "choose with --gpus 1 instead" in capsys.readouterr().err


def test_a_server_that_cannot_share_its_gpus_out_does_not_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("KHALA_ENGINE", "megatron")
    monkeypatch.setenv("KHALA_TENSOR_PARALLEL", "2")
    assert main(["serve", "--gpus", "0"]) == 1
    assert "--gpus names 1 GPUs" in capsys.readouterr().err
