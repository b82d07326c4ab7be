"""Every damage to a checkpoint is an error that names the file, the tensor and what was expected."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest
import torch
from torch.distributed.checkpoint.metadata import _MEM_FORMAT_ENCODING

from core.errors import CheckpointError
from models.checkpoint.megatron_export import megatron_tensors
from models.checkpoint.miniature import TRANSFORMER
from models.checkpoint.names import MegatronNames
from models.checkpoint.safe_load import StandIn, load_metadata, load_torch_file
from models.checkpoint.safetensors_port import SafetensorsSource
from models.checkpoint.torch_dist import TorchDistSource, iteration_directory, read_arguments
from models.checkpoint.tree import find_checkpoints
from models.engine_native import NativeEngine
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer
from tests.checkpoint.layouts import load, megatron_names, port_names, seeded_model


@pytest.fixture(scope="module")
def model() -> Transformer:
    return seeded_model()


def _only_shard(root: Path) -> Path:
    (shard,) = iteration_directory(root).glob("*.distcp")
    return shard


class Evil:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch /tmp/khala-was-here",)


def _truncate(root: Path) -> None:
    shard = _only_shard(root)
    shard.write_bytes(shard.read_bytes()[:-2000])


def _overwrite(root: Path) -> None:
    shard = _only_shard(root)
    content = bytearray(shard.read_bytes())
    content[: len(content) // 2] = b"\x00" * (len(content) // 2)
    shard.write_bytes(content)


def _poison_metadata(root: Path) -> None:
    (iteration_directory(root) / ".metadata").write_bytes(pickle.dumps(Evil()))


def _poison_arguments(root: Path) -> None:
    torch.save({"args": Evil()}, iteration_directory(root) / "common.pt")


def _break_iteration(root: Path) -> None:
    (root / "latest_checkpointed_iteration.txt").write_text("newest")


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (_truncate, r"__0_0\.distcp: tensor '.+': the file is truncated"),
    (_overwrite, r"__0_0\.distcp: tensor '.+': the stored bytes are damaged"),
    (lambda root: _only_shard(root).unlink(), r"__0_0\.distcp: tensor '.+': cannot be read \(No such file"),
    (_poison_metadata, r"\.metadata: it names '(posix|os|nt)\.system'.*not trusted"),
    (_poison_arguments, r"common\.pt: it names '(posix|os|nt)\.system'.*not trusted"),
    (
        lambda root: (iteration_directory(root) / ".metadata").write_bytes(b"\x80\x04"),
        r"\.metadata: the file is damaged",
    ),
    (lambda root: (iteration_directory(root) / ".metadata").unlink(), r"\.metadata: the file is missing"),
    (lambda root: (iteration_directory(root) / "common.pt").unlink(), r"common\.pt: the file is missing"),
    (
        lambda root: (iteration_directory(root) / "common.pt").write_bytes(b"PK\x03\x04"),
        r"common\.pt: the file is damaged",
    ),
    (
        lambda root: (iteration_directory(root) / "metadata.json").write_text("{"),
        r"metadata\.json: the file is damaged",
    ),
    (_break_iteration, r"latest_checkpointed_iteration\.txt: a whole number"),
    (lambda root: shutil.rmtree(iteration_directory(root)), r"iter_0000007: the directory is missing"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES, ids=[message for _, message in DAMAGES])
def test_damage_is_an_error_that_names_the_file(
    tmp_path: Path, model: Transformer, damage: Callable[[Path], object], message: str
) -> None:
    megatron_names(tmp_path, megatron_tensors(model))
    damage(tmp_path)
    with pytest.raises(CheckpointError, match=message):
        directory = iteration_directory(tmp_path)
        read_arguments(directory)
        load(MegatronNames(TorchDistSource(directory), TRANSFORMER))
    assert not Path("/tmp/khala-was-here").exists()


def test_a_missing_tensor_is_named_with_its_shape(tmp_path: Path, model: Transformer) -> None:
    tensors = megatron_tensors(model)
    del tensors["decoder.layers.1.mlp.linear_fc2.weight"]
    with pytest.raises(
        CheckpointError, match=r"'decoder\.layers\.1\.mlp\.linear_fc2\.weight': is missing; shape \[64, 160\]"
    ):
        load(megatron_names(tmp_path, tensors))


def test_a_tensor_of_another_shape_is_named_with_both(tmp_path: Path, model: Transformer) -> None:
    tensors = megatron_tensors(model)
    tensors["decoder.layers.0.self_attention.linear_proj.weight"] = torch.zeros(64, 65)
    message = r"linear_proj\.weight': has shape \[64, 65\]; \[64, 64\] was expected"
    with pytest.raises(CheckpointError, match=message):
        load(megatron_names(tmp_path, tensors))


def test_a_truncated_safetensors_file_is_named(tmp_path: Path, model: Transformer) -> None:
    port_names(tmp_path, model)
    path = tmp_path / "khala_backbone.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"khala_backbone\.safetensors: the file is damaged or truncated"):
        SafetensorsSource(path)


class ModelType:
    """Stands for one of Megatron's enums in a published file."""

    __module__ = "megatron.training.made_up"


def test_foreign_classes_in_a_file_are_neither_imported_nor_needed(tmp_path: Path, model: Transformer) -> None:
    directory = megatron_names(tmp_path, megatron_tensors(model)).source.path
    module = ModuleType("megatron.training.made_up")
    module.ModelType = ModelType  # type: ignore[attr-defined]
    with mock.patch.dict(sys.modules, {module.__name__: module}):
        torch.save({"args": TRANSFORMER.to_arguments(model_type=ModelType())}, directory / "common.pt")
    assert read_arguments(directory).hidden_size == TRANSFORMER.hidden_size


class Member:
    """Pickled as a member of an enum by Python 3.11.2: the built-in ``getattr``, called with its class and its name."""

    def __init__(self, owner: type, name: str) -> None:
        self.call = getattr, (owner, name)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[type, str]]:
        return self.call


def test_enums_are_read_as_every_python_writes_them(tmp_path: Path, model: Transformer) -> None:
    directory = megatron_names(tmp_path, megatron_tensors(model)).source.path
    kept = _MEM_FORMAT_ENCODING.TORCH_CONTIGUOUS_FORMAT
    tmp_path.joinpath("by-name").write_bytes(pickle.dumps(Member(type(kept), kept.name)))
    assert isinstance(load_metadata(tmp_path / "by-name"), StandIn)

    module = ModuleType("megatron.training.made_up")
    module.ModelType = ModelType  # type: ignore[attr-defined]
    with mock.patch.dict(sys.modules, {module.__name__: module}):
        arguments = TRANSFORMER.to_arguments(model_type=Member(ModelType, "encoder"))
        torch.save({"args": arguments}, directory / "common.pt")
    assert read_arguments(directory).hidden_size == TRANSFORMER.hidden_size


@pytest.mark.parametrize(("owner", "name"), [(torch.Size, "mro"), (OrderedDict, "fromkeys")])
def test_nothing_but_members_can_be_reached_by_name(tmp_path: Path, owner: type, name: str) -> None:
    tmp_path.joinpath("by-name").write_bytes(pickle.dumps(Member(owner, name)))
    with pytest.raises(CheckpointError, match=f"asks for '{name}'.*not trusted"):
        load_metadata(tmp_path / "by-name")
    torch.save({"args": Member(OrderedDict, name)}, tmp_path / "saved")
    with pytest.raises(CheckpointError, match="not trusted"):
        load_torch_file(tmp_path / "saved")


@pytest.mark.parametrize(
    ("extra", "shape"),
    [
        ("decoder.layers.2.mlp.linear_fc2.weight", (64, 160)),
        ("decoder.layers.0.self_attention.q_layernorm.weight", (16,)),
    ],
)
def test_a_weight_that_the_model_has_no_place_for_is_never_ignored(
    tmp_path: Path, model: Transformer, extra: str, shape: tuple[int, ...]
) -> None:
    names = megatron_names(tmp_path, megatron_tensors(model) | {extra: torch.zeros(shape)})
    with pytest.raises(CheckpointError, match="is not part of the model") as caught:
        load(names)
    assert caught.value.tensor == extra


@pytest.mark.parametrize("text", ["newest", "²", "-3", ""])
def test_an_iteration_that_is_no_number_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "latest_checkpointed_iteration.txt").write_text(text)
    with pytest.raises(CheckpointError, match="a whole number"):
        iteration_directory(tmp_path)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("normalization", "LayerNorm"),
        ("rotary_percent", 0.5),
        ("window_size", (128, 0)),
        ("kv_channels", 16.0),
        ("swiglu", torch.ones(2)),
        ("num_layers", None),
        ("swiglu", False),
    ],
)
def test_a_model_this_project_cannot_compute_is_refused_by_name(argument: str, value: object) -> None:
    arguments = TRANSFORMER.to_arguments()
    setattr(arguments, argument, value)
    with pytest.raises(CheckpointError, match=argument):
        TransformerConfig.from_arguments(arguments, Path("common.pt"))


def test_an_incomplete_tree_says_all_that_is_missing_and_where_it_looked(miniature: Path, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    shutil.copytree(miniature, root)
    shutil.rmtree(root / "tokenizer")
    shutil.rmtree(root / "backbone")
    with pytest.raises(CheckpointError) as caught:
        find_checkpoints(root)
    text = str(caught.value)
    assert "backbone is missing" in text
    assert "tokenizer is missing" in text
    assert str(root / "tokenizer") in text


def test_a_tokenizer_of_another_model_is_refused_when_the_engine_opens(miniature: Path, tmp_path: Path) -> None:
    root = tmp_path / "tree"
    shutil.copytree(miniature, root)
    tokenizer = json.loads((root / "tokenizer" / "tokenizer.json").read_text())
    vocab = tokenizer["model"]["vocab"]
    vocab |= {f"word{number}": len(vocab) + number for number in range(2000)}
    for token in tokenizer["added_tokens"]:
        token["id"] += 2000
    (root / "tokenizer" / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(CheckpointError, match="rows; the tokenizer and the codec need"):
        NativeEngine.open(root, device="cpu")
