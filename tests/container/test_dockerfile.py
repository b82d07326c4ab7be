"""What can be said of the Dockerfile without building it; ``make container-check`` follows its steps in a chroot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from backend.__main__ import COMMANDS
from backend.settings_table import settings_table
from tests.container.build_in_chroot import left_out
from tests.container.dockerfile import read_dockerfile

ROOT = Path(__file__).resolve().parents[2]
STAGES = read_dockerfile(ROOT / "Dockerfile")
IMAGE = STAGES[-1]


def test_base_images_are_pinned_and_stages_are_there() -> None:
    names = [stage.name for stage in STAGES]
    assert all(re.search(r":\d+\.?\d*-", stage.base) for stage in STAGES)
    assert {step.source for stage in STAGES for step in stage.steps if step.source} <= set(names)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    for step in (step for stage in STAGES for step in stage.steps if step.instruction == "COPY" and not step.source):
        for source in step.words[:-1]:
            path = ROOT / source
            assert path.exists(), step.arguments
            assert not left_out(str(path.parent), [path.name]), f"{source} is left out by .dockerignore"


def test_songs_logs_and_the_store_are_not_part_of_the_image() -> None:
    assert left_out(str(ROOT / "backend"), ["logs", "generated_audio", "jobs"]) == {"logs", "generated_audio"}
    assert left_out(str(ROOT / "checkpoints"), ["demo", "miniature", "backbone"]) == {"miniature", "backbone"}


def test_the_image_is_not_run_by_root_and_says_how_it_is() -> None:
    order = [step.instruction for step in IMAGE.steps]
    assert order.index("USER") < order.index("ENTRYPOINT")
    last = {step.instruction: step for step in IMAGE.steps}
    assert last["USER"].arguments not in ("root", "0")
    assert "/healthz" in last["HEALTHCHECK"].words[-1]
    assert last["ENTRYPOINT"].words == ["python", "-m", "backend"] and last["CMD"].words[0] in COMMANDS
    assert {"/data", "/khala/checkpoints"} == set(last["VOLUME"].words)


def test_every_variable_it_sets_is_a_setting() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    names = {word.partition("=")[0] for step in IMAGE.steps if step.instruction == "ENV" for word in step.words}
    names |= set(compose["x-khala"]["environment"])
    assert [name for name in names if name.startswith("KHALA_") and f"`{name}`" not in settings_table()] == []
    assert compose["x-khala"]["env_file"] == [{"path": ".env", "required": False}], "every other setting, too"
    for service in ("khala-gpu", "khala-cpu"):
        assert compose["services"][service]["command"][0] in COMMANDS


def test_an_unknown_instruction_is_not_passed_over(tmp_path: Path) -> None:
    tmp_path.joinpath("Dockerfile").write_text("FROM debian:12-slim\nADD https://example.org/x /x\n")
    with pytest.raises(ValueError, match="ADD"):
        read_dockerfile(tmp_path / "Dockerfile")
