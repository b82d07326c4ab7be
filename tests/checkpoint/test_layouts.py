"""Every readable layout gives the model that was written."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models.checkpoint.megatron_export import megatron_tensors
from models.checkpoint.torch_dist import TorchDistSource, iteration_directory
from models.checkpoint.transformer_weights import Fc1Bias
from models.transformer.attention import attend_causal
from models.transformer.model import Transformer
from tests.checkpoint.layouts import FIRST_OUTPUT, LAYOUTS, VOCAB_SIZE, load, megatron_names, seeded_model


@pytest.fixture(scope="module")
def model() -> Transformer:
    return seeded_model()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_model_that_was_written(tmp_path: Path, model: Transformer, layout: str) -> None:
    loaded = load(LAYOUTS[layout](tmp_path, model)).state_dict()
    expected = model.state_dict()
    expected["output.weight"] = expected["output.weight"][FIRST_OUTPUT:]
    assert loaded.keys() == expected.keys()
    for name, tensor in loaded.items():
        assert torch.equal(tensor, expected[name]), name


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_fc1_bias_can_be_counted_twice(tmp_path: Path, model: Transformer, layout: str) -> None:
    names = LAYOUTS[layout](tmp_path, model)
    assert names.has_fc1_bias()
    once, twice = (load(names, fc1_bias).state_dict() for fc1_bias in Fc1Bias)
    for name in once:
        factor = 2 if "gate_up.bias" in name else 1
        assert torch.equal(once[name] * factor, twice[name]), name


def test_blocks_may_be_narrower_than_what_is_stored_and_tables_may_not(tmp_path: Path, model: Transformer) -> None:
    tensors = megatron_tensors(model)
    ids = torch.arange(FIRST_OUTPUT, VOCAB_SIZE)

    def logits(root: Path, stored: torch.dtype, blocks: torch.dtype) -> torch.Tensor:
        loaded = load(megatron_names(root, {name: tensor.to(stored) for name, tensor in tensors.items()}), dtype=blocks)
        assert (loaded.stream_dtype, loaded.dtype) == (torch.promote_types(stored, blocks), blocks)
        hidden = loaded(loaded.embed(ids)[None], loaded.rotation(torch.arange(len(ids))), attend_causal)
        assert hidden.dtype == loaded.stream_dtype
        return loaded.logits(hidden, range(FIRST_OUTPUT, VOCAB_SIZE))

    exact = logits(tmp_path / "exact", torch.float32, torch.float32)
    kept = logits(tmp_path / "kept", torch.float32, torch.bfloat16)
    rounded = logits(tmp_path / "rounded", torch.bfloat16, torch.bfloat16)
    assert 0 < (kept - exact).abs().mean() < (rounded - exact).abs().mean()


def test_a_tensor_in_several_chunks_is_put_together(tmp_path: Path, model: Transformer) -> None:
    megatron_names(tmp_path, megatron_tensors(model))
    directory = iteration_directory(tmp_path)
    name = "decoder.final_layernorm.weight"
    metadata = pickle.loads((directory / ".metadata").read_bytes())
    place = next(place for index, place in metadata.storage_data.items() if index.fqn == name)
    (index,) = [index for index in metadata.storage_data if index.fqn == name]
    # Split the tensor's one chunk into two that lie in a file of their own.
    chunk_type, index_type = type(metadata.state_dict_metadata[name].chunks[0]), type(index)
    halves = torch.split(model.norm.weight.detach(), 32)
    chunks, start = [], 0
    del metadata.storage_data[index]
    for number, half in enumerate(halves):
        offset = torch.Size([32 * number])
        torch.save(half.clone(), directory / "half.tmp")
        blob = (directory / "half.tmp").read_bytes()
        with (directory / "__1_0.distcp").open("ab") as file:
            file.write(blob)
        chunks.append(chunk_type(offset, torch.Size([32])))
        moved = type(place)("__1_0.distcp", start, len(blob))
        metadata.storage_data[index_type(name, offset, number)] = moved
        start += len(blob)
    metadata.state_dict_metadata[name].chunks = chunks
    (directory / ".metadata").write_bytes(pickle.dumps(metadata))
    assert torch.equal(TorchDistSource(directory).read(name), model.norm.weight)


def test_loading_imports_neither_torchs_compiler_nor_its_distributed_checkpoints(miniature: Path) -> None:
    """Each takes a second or more, and every worker's start would wait for it."""
    program = (
        "import sys; from pathlib import Path; from models.checkpoint.choose import choose_checkpoints;"
        "from models.engine_native import NativeEngine;"
        f"engine = NativeEngine.open(Path({str(miniature)!r}), device='cpu');"
        "engine.backbone().__enter__();"
        "print({'torch._dynamo', 'torch.distributed.checkpoint'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
