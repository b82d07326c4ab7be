from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from core.errors import CheckpointError
from models.checkpoint.codec_file import build_decoder, build_encoder, read_codec_weights, write_codec_file
from models.checkpoint.weight_norm import fold_weight
from models.codec.decoder import Decoder
from tests.codec.small_codec import SMALL, random_state, write_small_codec

CPU = torch.device("cpu")
DECODER_ONLY = replace(SMALL, encoder_width=None, encoder_strides=())


def tensors_of(path: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(path, weights_only=True)["state_dict"]
    return state


def rewrite(path: Path, tmp_path: Path, change: Callable[[dict[str, Tensor]], object]) -> Path:
    """A copy of the file with its tensors changed."""
    state = tensors_of(path)
    change(state)
    torch.save({"state_dict": state}, tmp_path / "changed.ckpt")
    return tmp_path / "changed.ckpt"


def assert_same_codec(path: Path) -> None:
    weights, expected = read_codec_weights(path), random_state(SMALL)
    assert weights.config == SMALL
    for name, tensor in expected.items():
        found = weights.codebooks() if name == "quantizer.codebooks" else fold_weight(weights.tensors, name)
        torch.testing.assert_close(found, tensor, rtol=1e-6, atol=0, msg=f"{name} differs")


def test_what_is_written_is_read_back_to_the_bit(codec_file: Path) -> None:
    weights, written = read_codec_weights(codec_file), random_state(SMALL)
    assert weights.config == SMALL
    assert torch.equal(weights.codebooks(), written.pop("quantizer.codebooks"))
    for name, tensor in written.items():
        assert torch.equal(fold_weight(weights.tensors, name), tensor), name


def test_file_has_the_published_names(codec_file: Path) -> None:
    state = tensors_of(codec_file)
    assert all(name.startswith("generator.") for name in state)
    transposed = "generator.decoder.model.1.block.1."
    assert state[transposed + "weight_v"].shape == (64, 32, 16)
    assert state[transposed + "weight_g"].shape == (64, 1, 1)
    for layer in range(SMALL.num_quantizers):
        stem = f"generator.quantizer.vq_layer_{layer}._codebook."
        assert torch.equal(state[stem + "embed"], state[f"generator.quantizer.embed_{layer}"])
        assert state[stem + "embed_avg"].shape == (SMALL.codebook_size, SMALL.latent_size)
        assert state[stem + "cluster_size"].shape == (SMALL.codebook_size,)
        assert state[stem + "inited"].shape == (1,)


def test_a_silent_filter_survives_the_weight_norm(tmp_path: Path) -> None:
    state, name = random_state(SMALL), "decoder.model.1.block.2.block.3.weight"
    state[name] = torch.zeros_like(state[name])
    write_codec_file(tmp_path / "silent.ckpt", SMALL, state)
    assert torch.equal(fold_weight(read_codec_weights(tmp_path / "silent.ckpt").tensors, name), state[name])
    assert tensors_of(tmp_path / "silent.ckpt")["generator." + name + "_v"].norm() > 0


def test_a_file_without_the_generator_prefix_is_read(codec_file: Path, tmp_path: Path) -> None:
    def drop_prefix(state: dict[str, Tensor]) -> None:
        for name in list(state):
            state[name.removeprefix("generator.")] = state.pop(name)

    assert_same_codec(rewrite(codec_file, tmp_path, drop_prefix))


def test_a_file_without_the_state_dict_wrapper_is_read(codec_file: Path, tmp_path: Path) -> None:
    torch.save(tensors_of(codec_file), tmp_path / "bare.pt")
    assert_same_codec(tmp_path / "bare.pt")


def test_a_file_with_plain_weights_is_read(tmp_path: Path) -> None:
    state = random_state(SMALL)
    codebooks = {f"quantizer.embed_{layer}": book for layer, book in enumerate(state.pop("quantizer.codebooks"))}
    torch.save(state | codebooks, tmp_path / "plain.pt")
    assert_same_codec(tmp_path / "plain.pt")


def test_weight_norm_as_a_parametrisation_is_read(codec_file: Path, tmp_path: Path) -> None:
    def rename(state: dict[str, Tensor]) -> None:
        for name in list(state):
            renamed = name.replace("weight_g", "parametrizations.weight.original0")
            state[renamed.replace("weight_v", "parametrizations.weight.original1")] = state.pop(name)

    assert_same_codec(rewrite(codec_file, tmp_path, rename))


def test_codebooks_are_found_under_either_name(codec_file: Path, tmp_path: Path) -> None:
    def drop(part: str) -> Callable[[dict[str, Tensor]], object]:
        return lambda state: [state.pop(name) for name in list(state) if part in name]

    assert_same_codec(rewrite(codec_file, tmp_path, drop("vq_layer_")))
    assert_same_codec(rewrite(codec_file, tmp_path, drop("quantizer.embed_")))


def test_other_networks_in_the_file_are_ignored(codec_file: Path, tmp_path: Path) -> None:
    other = {"discriminator.decoder.model.99.weight": torch.zeros(2), "decoder.model.0.weight": torch.zeros(1)}
    assert_same_codec(rewrite(codec_file, tmp_path, lambda state: state.update(other)))


def test_half_precision_weights_become_float32(codec_file: Path, tmp_path: Path) -> None:
    path = rewrite(codec_file, tmp_path, lambda state: state.update({n: t.half() for n, t in state.items()}))
    weights, decoder = read_codec_weights(path), Decoder(SMALL)
    weights.load_into(decoder, "decoder.")
    assert {tensor.dtype for tensor in [*decoder.state_dict().values(), weights.codebooks()]} == {torch.float32}


def test_without_an_encoder_the_file_still_decodes_and_says_why_it_cannot_encode(tmp_path: Path) -> None:
    weights = read_codec_weights(write_small_codec(tmp_path / "half.ckpt", DECODER_ONLY))
    assert weights.config == DECODER_ONLY
    build_decoder(weights, CPU)
    with pytest.raises(CheckpointError, match=r"half\.ckpt: the file holds no encoder"):
        build_encoder(weights, CPU)


@pytest.mark.parametrize(
    "name",
    [
        "decoder.model.0.weight_v",
        "decoder.model.0.weight_g",
        "decoder.model.2.block.1.weight_v",
        "decoder.model.3.block.3.block.0.alpha",
        "decoder.model.6.bias",
        "encoder.block.0.weight_v",
        "encoder.block.1.block.4.weight_v",
        "encoder.block.6.weight_g",
    ],
)
def test_a_missing_tensor_is_named(codec_file: Path, tmp_path: Path, name: str) -> None:
    path = rewrite(codec_file, tmp_path, lambda state: state.pop("generator." + name))
    with pytest.raises(CheckpointError, match=r"is missing; .* expected") as raised:
        read_codec_weights(path)
    assert raised.value.tensor == name
    assert raised.value.path == path


@pytest.mark.parametrize("layer", ["decoder.model.6", "decoder.model.1", "encoder.block.6", "encoder.block.3"])
def test_a_missing_layer_is_named(codec_file: Path, tmp_path: Path, layer: str) -> None:
    def drop(state: dict[str, Tensor]) -> None:
        for name in [name for name in state if name.startswith(f"generator.{layer}.")]:
            del state[name]

    with pytest.raises(CheckpointError, match=rf"'{layer}\..*weight': is missing"):
        read_codec_weights(rewrite(codec_file, tmp_path, drop))


def test_a_missing_codebook_is_named(codec_file: Path, tmp_path: Path) -> None:
    def drop(state: dict[str, Tensor]) -> None:
        del state["generator.quantizer.vq_layer_2._codebook.embed"], state["generator.quantizer.embed_2"]

    with pytest.raises(CheckpointError, match=r"vq_layer_2\._codebook\.embed.*is missing; shape \[32, 8\]"):
        read_codec_weights(rewrite(codec_file, tmp_path, drop))


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("decoder.model.2.block.3.block.1.weight_v", (16, 16, 5), r"\[16, 16, 5\]; \[16, 16, 7\] was expected"),
        ("decoder.model.2.block.3.block.1.weight_g", (16,), r"\[16\]; \[16, 1, 1\] was expected"),
        ("decoder.model.0.weight_v", (64, 8), r"\[64, 8\]; 3 dimensions were expected"),
        ("encoder.block.5.alpha", (1, 32, 1), r"\[1, 32, 1\]; \[1, 64, 1\] was expected"),
        ("quantizer.vq_layer_1._codebook.embed", (32, 9), r"\[32, 9\]; \[32, 8\] was expected"),
    ],
)
def test_a_wrong_shape_is_named_beside_the_right_one(
    codec_file: Path, tmp_path: Path, name: str, wrong: tuple[int, ...], message: str
) -> None:
    path = rewrite(codec_file, tmp_path, lambda state: state.update({"generator." + name: torch.zeros(wrong)}))
    with pytest.raises(CheckpointError, match=message) as raised:
        read_codec_weights(path)
    assert raised.value.tensor == name


def test_sizes_that_make_no_codec_are_refused(codec_file: Path, tmp_path: Path) -> None:
    shorter = {"generator.encoder.block.1.block.4.weight_v": torch.zeros(8, 4, 4)}
    path = rewrite(codec_file, tmp_path, lambda state: state.update(shorter))
    with pytest.raises(CheckpointError, match="hop 1024 is not the decoder's, 2048"):
        read_codec_weights(path)


def test_whole_numbers_are_no_weights(codec_file: Path, tmp_path: Path) -> None:
    whole = {"generator.decoder.model.6.bias": torch.zeros(2, dtype=torch.int64)}
    with pytest.raises(CheckpointError, match=r"holds torch\.int64; floating-point numbers were expected"):
        read_codec_weights(rewrite(codec_file, tmp_path, lambda state: state.update(whole)))


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_a_truncated_file_is_refused(codec_file: Path, tmp_path: Path, kept: float) -> None:
    content = codec_file.read_bytes()
    path = tmp_path / "short.ckpt"
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CheckpointError, match=r"short\.ckpt"):
        read_codec_weights(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.ckpt"):
        read_codec_weights(tmp_path / "nowhere.ckpt")


@pytest.mark.parametrize(
    "content", [[torch.zeros(1)], {"state_dict": 3}, {"state_dict": {"other.weight": torch.zeros(1)}}]
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match=r"other\.ckpt"):
        read_codec_weights(tmp_path / "other.ckpt")


def test_writing_weights_of_other_sizes_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    state = random_state(SMALL) | {"decoder.model.6.bias": torch.zeros(3)}
    with pytest.raises(ValueError, match=r"decoder\.model\.6\.bias"):
        write_codec_file(tmp_path / "wrong.ckpt", SMALL, state)
    assert list(tmp_path.iterdir()) == []
