"""Our blocks and networks against Descript's own classes, weights carried over by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.checkpoint.codec_file import read_codec_weights
from models.checkpoint.weight_norm import fold_weight
from models.codec.blocks import DecoderBlock, EncoderBlock, ResidualUnit, Snake
from models.codec.decoder import Decoder
from models.codec.encoder import Encoder
from tests.codec.descript import descript_codec, descript_modules
from tests.codec.small_codec import SMALL, fill_with_noise

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")


def carry_over(theirs: nn.Module, ours: nn.Module) -> None:
    fill_with_noise(theirs, seed=1)
    state = theirs.state_dict()
    ours.load_state_dict({name: fold_weight(state, name) for name in ours.state_dict()})


def assert_close(ours: Tensor | None, theirs: Tensor | None, tolerance: float = 1e-5) -> None:
    """Equal within ``tolerance`` of the signal's own size."""
    assert ours is not None and theirs is not None
    assert ours.shape == theirs.shape
    difference = (ours - theirs).abs().max() / theirs.std()
    assert difference < tolerance, f"differ by {difference:.1e} of their size"


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(2))


def test_snake_is_descripts_snake_to_the_bit() -> None:
    theirs, ours = descript_modules()[0].Snake1d(12), Snake(12)
    carry_over(theirs, ours)
    assert torch.equal(ours(noise(2, 12, 1_000)), theirs(noise(2, 12, 1_000)))


def test_snake_has_descripts_gradients_although_it_works_in_place() -> None:
    theirs, ours = descript_modules()[0].Snake1d(12), Snake(12)
    carry_over(theirs, ours)
    gradients: list[tuple[Tensor | None, Tensor | None]] = []
    for snake in (theirs, ours):
        x = noise(2, 12, 1_000).requires_grad_()
        snake(x).square().sum().backward()
        gradients.append((x.grad, snake.alpha.grad))
    assert_close(gradients[1][0], gradients[0][0])
    assert_close(gradients[1][1], gradients[0][1])


@pytest.mark.parametrize("dilation", [1, 3, 9])
def test_residual_unit_equals_descripts(dilation: int) -> None:
    theirs, ours = descript_modules()[1].ResidualUnit(16, dilation), ResidualUnit(16, dilation)
    carry_over(theirs, ours)
    assert_close(ours(noise(2, 16, 500)), theirs(noise(2, 16, 500)))


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_encoder_block_equals_descripts(stride: int) -> None:
    theirs, ours = descript_modules()[1].EncoderBlock(32, stride), EncoderBlock(32, stride)
    carry_over(theirs, ours)
    assert_close(ours(noise(2, 16, 40 * stride)), theirs(noise(2, 16, 40 * stride)))


@pytest.mark.parametrize("stride", [2, 4, 8])
def test_decoder_block_equals_descripts(stride: int) -> None:
    theirs, ours = descript_modules()[1].DecoderBlock(32, 16, stride), DecoderBlock(32, 16, stride)
    carry_over(theirs, ours)
    assert_close(ours(noise(2, 32, 40)), theirs(noise(2, 32, 40)))


@pytest.mark.parametrize("stride", [2, 8])
def test_decoder_block_learns_as_descripts(stride: int) -> None:
    theirs, ours = descript_modules()[1].DecoderBlock(8, 4, stride), DecoderBlock(8, 4, stride)
    carry_over(theirs, ours)
    gradients: list[Tensor | None] = []
    for block in (theirs, ours):
        x = noise(2, 8, 40).requires_grad_()
        block(x).square().sum().backward()
        gradients.append(x.grad)
    assert_close(gradients[1], gradients[0])


@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_whole_networks_are_the_same_function_as_descripts(part: str) -> None:
    # In float64, where rounding cannot excuse a difference.
    theirs = descript_codec(SMALL)[part].double()
    ours = (Encoder(SMALL) if part == "encoder" else Decoder(SMALL)).double()
    fill_with_noise(theirs, seed=3)
    state = dict(theirs.state_dict())
    for name in [name for name in state if name.endswith("weight_v")]:
        direction = state[name]
        norm = direction.flatten(1).norm(dim=1).view(-1, 1, 1)
        state[name.removesuffix("_v")] = direction * state[name.removesuffix("v") + "g"] / norm
    ours.load_state_dict({name: state[name] for name in ours.state_dict()})
    shape = (1, SMALL.channels, 12 * SMALL.hop_samples) if part == "encoder" else (1, SMALL.latent_size, 12)
    with torch.no_grad():
        assert_close(ours(noise(*shape).double()), theirs(noise(*shape).double()), tolerance=1e-11)


def test_whole_networks_equal_descripts_after_a_trip_through_the_published_file_format(tmp_path: Path) -> None:
    theirs = descript_codec(SMALL)
    fill_with_noise(theirs, seed=3)
    state = {f"generator.{name}": tensor for name, tensor in theirs.state_dict().items()}
    for layer in range(SMALL.num_quantizers):
        codebook = noise(SMALL.codebook_size, SMALL.latent_size)
        state[f"generator.quantizer.vq_layer_{layer}._codebook.embed"] = codebook
    torch.save({"state_dict": state | {"discriminator.weight": torch.zeros(3)}}, tmp_path / "theirs.ckpt")

    weights = read_codec_weights(tmp_path / "theirs.ckpt")
    decoder, encoder = Decoder(weights.config), Encoder(weights.config)
    weights.load_into(decoder, "decoder.")
    weights.load_into(encoder, "encoder.")

    assert weights.config == SMALL
    with torch.no_grad():
        latent, audio = noise(1, SMALL.latent_size, 12), noise(1, SMALL.channels, 12 * SMALL.hop_samples)
        assert_close(decoder(latent), theirs["decoder"](latent))
        assert_close(encoder(audio), theirs["encoder"](audio))
