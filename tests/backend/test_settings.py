"""Settings from the environment, and devices from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from backend.settings import PROJECT_ROOT, ModelSettings, ServerSettings, Settings, SettingUnusable
from backend.settings_table import settings_table
from backend.workers.devices import UnknownDevice, gpu_of, parse_gpus, usable_devices, visible_gpus
from core.engine import RuntimeMode


def test_defaults_are_the_published_ones() -> None:
    settings = Settings()

    server = settings.server
    assert (server.api_port, server.worker_base_port, server.base_master_port) == (8889, 8001, 8791)
    assert settings.models.base_seed == 1283
    assert settings.models.runtime_mode is RuntimeMode.ONE_SHOT
    assert settings.paths.output_dir.parts[-2:] == ("backend", "generated_audio")


def test_published_names_and_ours_are_both_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_PORT", "9000")
    monkeypatch.setenv("KHALA_WORKER_BASE_PORT", "9001")
    monkeypatch.setenv("WORKER_BASE_PORT", "7")
    monkeypatch.setenv("KHALA_RUNTIME_MODE", "keep_loaded")
    monkeypatch.setenv("KHALA_MAX_SECONDS", "20")
    monkeypatch.setenv("KHALA_OUTPUT_DIR", "/songs")

    settings = Settings()

    assert (settings.server.api_port, settings.server.worker_base_port) == (9000, 9001)
    assert settings.models.runtime_mode is RuntimeMode.KEEP_LOADED
    assert settings.models.max_seconds == 20
    assert settings.paths.output_dir == Path("/songs")


def test_what_is_given_in_code_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHALA_RUNTIME_MODE", "keep_loaded")

    assert ModelSettings(runtime_mode=RuntimeMode.ONE_SHOT).runtime_mode is RuntimeMode.ONE_SHOT


@pytest.mark.parametrize(("name", "value"), [("API_PORT", "0"), ("KHALA_MAX_SECONDS", "nan"), ("KHALA_FC1_BIAS", "3")])
def test_impossible_values_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError):
        Settings()


def test_origins_are_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHALA_CORS_ORIGINS", '["http://localhost:30869"]')
    assert ServerSettings().cors_origins == ["http://localhost:30869"]

    monkeypatch.setenv("KHALA_CORS_ORIGINS", "http://x")
    with pytest.raises(SettingUnusable, match="KHALA_CORS_ORIGINS must be a JSON list"):
        Settings()


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(ValidationError):
        ServerSettings().api_port = 1


@pytest.mark.parametrize(
    ("text", "gpus"), [("0", [0]), ("0,1", [0, 1]), ("6, 7", [6, 7]), ("cpu", ["cpu"]), ("mps", ["mps"])]
)
def test_gpus_are_numbers_or_cpu(text: str, gpus: list[object]) -> None:
    assert parse_gpus(text) == gpus


@pytest.mark.parametrize("text", ["", "x", "0,,1", "-1", "0;1", "0,0", "cuda"])
def test_other_devices_are_refused_in_words(text: str) -> None:
    with pytest.raises(UnknownDevice, match="--gpus"):
        parse_gpus(text)


def test_without_a_gpu_there_is_one_worker_on_the_cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("platform.system", lambda: "Linux")

    assert usable_devices([0, 1]) == ["cpu"]
    assert usable_devices(["cpu"]) == ["cpu"]


@pytest.mark.parametrize(("exit_code", "devices"), [(0, [0, 1]), (9, ["cpu"])])
def test_the_drivers_tool_decides_whether_there_is_a_gpu(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exit_code: int, devices: list[object]
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\nexit {exit_code}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr("platform.system", lambda: "Linux")

    assert usable_devices([0, 1]) == devices

    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert usable_devices([0, 1]) == ["cpu"], "somebody has hidden all of them"


@pytest.mark.parametrize(
    ("gpu", "listed", "name"),
    [(1, None, "1"), (0, "3", "3"), (1, "6, 7", "7"), (7, "6,7", "7"), (0, "MIG-40f372eb", "MIG-40f372eb")],
)
def test_a_gpu_is_one_of_those_that_were_left_to_this_program(gpu: int, listed: str | None, name: str) -> None:
    assert visible_gpus([gpu], listed) == [name]


def test_a_gpu_of_somebody_else_is_refused_in_words() -> None:
    with pytest.raises(UnknownDevice, match="CUDA_VISIBLE_DEVICES=3 leaves 1 for this program"):
        visible_gpus([2], "3")
    with pytest.raises(UnknownDevice, match="twice"):
        visible_gpus([1, 3], "1,3")


def test_torchs_names_become_device_ids() -> None:
    assert [gpu_of(name) for name in ("cpu", "cuda", "cuda:3", "mps", "mps:0")] == ["cpu", 0, 3, "mps", "mps"]


def test_the_documented_settings_are_those_there_are() -> None:
    written = (PROJECT_ROOT / "ENVIRONMENT_SETUP.md").read_text(encoding="utf-8")
    assert settings_table() in written, "write the table anew: .venv/bin/python -m backend settings"
    assert not [line for line in settings_table().splitlines() if line.endswith("|  |")], (
        "every setting says what it is"
    )
