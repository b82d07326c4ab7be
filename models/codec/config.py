"""The sizes of a codec; all but the sample rate can be read off the shapes of its tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

from core.engine import AudioFormat

SAMPLE_RATE_HZ = 44_100
"""No checkpoint states its sample rate; all published ones have this one."""


@dataclass(frozen=True, kw_only=True)
class CodecConfig:
    """Sizes of the networks and of the codebooks; ValueError when they do not fit together.

    A width is the number of channels after a network's first convolution: each encoder block doubles it, each decoder
    block halves it. A codec without an encoder has no width and no strides for it.
    """

    channels: int
    latent_size: int
    num_quantizers: int
    codebook_size: int
    decoder_width: int
    decoder_rates: tuple[int, ...]
    encoder_width: int | None = None
    encoder_strides: tuple[int, ...] = ()
    sample_rate_hz: int = SAMPLE_RATE_HZ

    def __post_init__(self) -> None:
        sizes = (self.channels, self.latent_size, self.num_quantizers, self.codebook_size, self.sample_rate_hz)
        if min(sizes) < 1 or self.decoder_width < 1 or (self.encoder_width is not None and self.encoder_width < 1):
            raise ValueError("all sizes of a codec must be positive")
        if not self.decoder_rates or any(rate < 2 or rate % 2 for rate in self.decoder_rates + self.encoder_strides):
            # The published padding, ceil(rate / 2) on both sides, loses a sample when the rate is odd.
            raise ValueError("the rates of a codec must be even, or its audio would not be frames times hop long")
        if self.decoder_width % 2 ** len(self.decoder_rates):
            raise ValueError(f"the decoder's width {self.decoder_width} cannot be halved once a block")
        if self.encoder_width is not None and math.prod(self.encoder_strides) != self.hop_samples:
            raise ValueError(
                f"the encoder's hop {math.prod(self.encoder_strides)} is not the decoder's, {self.hop_samples}"
            )

    @property
    def hop_samples(self) -> int:
        """Samples a frame."""
        return math.prod(self.decoder_rates)

    @property
    def audio_format(self) -> AudioFormat:
        return AudioFormat(sample_rate_hz=self.sample_rate_hz, hop_samples=self.hop_samples, channels=self.channels)
