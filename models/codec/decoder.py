"""The decoder network: latents to audio."""

from __future__ import annotations

from torch import Tensor, nn

from models.codec.blocks import DecoderBlock, Snake
from models.codec.config import CodecConfig
from models.codec.convolution import SamePaddingConv1d


class Decoder(nn.Module):
    """Latents [B, latent_size, frames] → audio [B, channels, frames·hop].

    Descript's decoder ends in a tanh; the published one does not (contract section 5).
    """

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        width = config.decoder_width
        layers: list[nn.Module] = [SamePaddingConv1d(config.latent_size, width, 7)]
        for rate in config.decoder_rates:
            layers.append(DecoderBlock(width, width // 2, rate))
            width //= 2
        layers += [Snake(width), SamePaddingConv1d(width, config.channels, 7)]
        self.model = nn.Sequential(*layers)

    def forward(self, latent_BDF: Tensor) -> Tensor:
        audio_BCT: Tensor = self.model(latent_BDF)
        return audio_BCT
