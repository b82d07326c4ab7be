"""The miniature is small, seeded, complete, and what is used when nothing better is there."""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from core.errors import CheckpointError
from models.checkpoint.choose import choose_checkpoints
from models.checkpoint.inspect import inspect_checkpoints
from models.checkpoint.miniature import write_miniature
from models.engine_native import NativeEngine
from models.tokenizer import TextTokenizer


def _weights(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.suffix in (".distcp", ".json")]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_it_is_under_40_megabytes(miniature: Path) -> None:
    assert sum(path.stat().st_size for path in miniature.rglob("*") if path.is_file()) < 40e6


def test_the_same_seed_writes_the_same_weights_and_another_others(miniature: Path, tmp_path: Path) -> None:
    write_miniature(tmp_path / "again", seed=0)
    write_miniature(tmp_path / "other", seed=1)
    assert _weights(tmp_path / "again") == _weights(miniature)
    assert _weights(tmp_path / "other") != _weights(miniature)


def test_it_never_overwrites_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_text("a person's work")
    with pytest.raises(CheckpointError, match="new or an empty directory"):
        write_miniature(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]
    assert not list(tmp_path.parent.glob(f".{tmp_path.name}-*"))


def test_workers_that_start_together_agree_on_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as workers:
        chosen = list(workers.map(choose_checkpoints, [tmp_path] * 3))
    assert chosen == [tmp_path / "miniature"] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["miniature"]


def test_it_says_that_it_is_untrained(miniature: Path) -> None:
    description = NativeEngine.open(miniature, device="cpu").description
    assert not description.trained
    assert "untrained" in inspect_checkpoints(miniature)


def test_the_report_names_sizes_iteration_and_vocabulary(miniature: Path) -> None:
    report = inspect_checkpoints(miniature)
    for expected in ("iteration 0", "vocabulary rows 66048", "bfloat16", "64 codebooks of 1024", "Nothing is missing."):
        assert expected in report


def test_without_weights_the_miniature_is_written_once(tmp_path: Path) -> None:
    chosen = choose_checkpoints(tmp_path)
    written = (chosen / "khala.json").stat().st_mtime_ns
    assert choose_checkpoints(tmp_path) == chosen == tmp_path / "miniature"
    assert (chosen / "khala.json").stat().st_mtime_ns == written


def test_the_demo_comes_before_the_miniature_and_complete_weights_before_both(miniature: Path, tmp_path: Path) -> None:
    shutil.copytree(miniature, tmp_path / "demo")
    assert choose_checkpoints(tmp_path) == tmp_path / "demo"
    shutil.copytree(miniature, tmp_path, dirs_exist_ok=True)
    assert choose_checkpoints(tmp_path) == tmp_path


def test_incomplete_weights_are_an_error_and_never_passed_over(miniature: Path, tmp_path: Path) -> None:
    shutil.copytree(miniature / "backbone", tmp_path / "backbone")
    with pytest.raises(CheckpointError, match=r"not complete.*super-resolution model is missing"):
        choose_checkpoints(tmp_path)


@pytest.mark.parametrize("text", ["plain words", "夜風が窓を叩く", "<|eot_id|> typed", "a\tb  c", "🎵"])
def test_text_has_the_ids_that_transformers_gives_it(miniature: Path, text: str) -> None:
    reference = AutoTokenizer.from_pretrained(miniature / "tokenizer")
    expected = reference(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    ids = TextTokenizer(miniature / "tokenizer" / "tokenizer.json").encode(text)
    assert ids == expected
    assert max(ids) < 256
