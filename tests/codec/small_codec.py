"""A codec with the published shape and random weights, small enough to decode seconds of audio in milliseconds."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoint.codec_file import write_codec_file
from models.codec.config import CodecConfig
from models.codec.decoder import Decoder
from models.codec.encoder import Encoder

SMALL = CodecConfig(
    channels=2,
    latent_size=8,
    num_quantizers=4,
    codebook_size=32,
    decoder_width=64,
    decoder_rates=(8, 8, 8, 4),
    encoder_width=4,
    encoder_strides=(4, 8, 8, 8),
)


def fill_with_noise(network: nn.Module, seed: int) -> None:
    """Give every tensor of the network random numbers, under which signals neither vanish nor explode."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in network.state_dict().items():
        noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith("alpha"):
            tensor.copy_(1 + 0.2 * noise)
        elif name.endswith("weight_g"):
            tensor.copy_(0.5 + 0.1 * noise)
        elif tensor.dim() == 3:
            tensor.copy_(0.5 * noise / tensor[0].numel() ** 0.5)
        else:
            tensor.copy_(0.1 * noise)


def random_state(config: CodecConfig, seed: int = 0) -> dict[str, Tensor]:
    """Plain weights of a whole codec, named as ``write_codec_file`` takes them."""
    networks: dict[str, nn.Module] = {"decoder": Decoder(config)}
    if config.encoder_width is not None:
        networks["encoder"] = Encoder(config)
    state: dict[str, Tensor] = {}
    for offset, (part, network) in enumerate(networks.items()):
        fill_with_noise(network, seed + offset)
        state |= {f"{part}.{name}": tensor for name, tensor in network.state_dict().items()}
    generator = torch.Generator().manual_seed(seed + 7)
    shape = (config.num_quantizers, config.codebook_size, config.latent_size)
    return state | {"quantizer.codebooks": torch.randn(shape, generator=generator)}


def write_small_codec(path: Path, config: CodecConfig = SMALL) -> Path:
    write_codec_file(path, config, random_state(config))
    return path
