"""The encoder network: audio to latents, before quantisation."""

from __future__ import annotations

from torch import Tensor, nn

from models.codec.blocks import EncoderBlock, Snake
from models.codec.config import CodecConfig
from models.codec.convolution import SamePaddingConv1d


class Encoder(nn.Module):
    """Audio [B, channels, frames·hop] → latents [B, latent_size, frames] (contract section 5)."""

    def __init__(self, config: CodecConfig) -> None:
        if config.encoder_width is None:
            raise ValueError("this codec has no encoder")
        super().__init__()
        width = config.encoder_width
        layers: list[nn.Module] = [SamePaddingConv1d(config.channels, width, 7)]
        for stride in config.encoder_strides:
            width *= 2
            layers.append(EncoderBlock(width, stride))
        layers += [Snake(width), SamePaddingConv1d(width, config.latent_size, 3)]
        self.block = nn.Sequential(*layers)

    def forward(self, audio_BCT: Tensor) -> Tensor:
        latent_BDF: Tensor = self.block(audio_BCT)
        return latent_BDF
