"""How large a fit is: the demo's, and a miniature that takes seconds."""

from __future__ import annotations

from dataclasses import dataclass

from models.codec.config import CodecConfig
from training.codec_fit.kmeans import KMeansEffort

_RATES = (8, 8, 8, 4)
_DOUBLINGS = 2 ** len(_RATES)


@dataclass(frozen=True, kw_only=True)
class FitScale:
    """Sizes of the codec, and how much is listened to.

    Filters are the channels next to the sound; both networks need 16. More make them follow the transform more closely:
    the decoder to 48 dB with 16 and to 62 dB with 24, the encoder to 60 and 70.
    """

    name: str
    songs: int
    minutes: tuple[int, ...]
    held_out_songs: int
    latent_size: int
    layers: int
    codebook_size: int
    effort: KMeansEffort
    decoder_filters: int
    encoder_filters: int

    @property
    def config(self) -> CodecConfig:
        return CodecConfig(
            channels=2,
            latent_size=self.latent_size,
            num_quantizers=self.layers,
            codebook_size=self.codebook_size,
            decoder_width=self.decoder_filters * _DOUBLINGS,
            decoder_rates=_RATES,
            encoder_width=self.encoder_filters,
            encoder_strides=_RATES[::-1],
        )


DEMO = FitScale(
    name="demo",
    songs=250,
    minutes=(1, 1, 1, 2, 3),
    held_out_songs=24,
    latent_size=128,
    layers=64,
    codebook_size=1024,
    effort=KMeansEffort(first_frames=150_000, first_rounds=20, joint_rounds=16, frames=60_000, rounds=5),
    decoder_filters=16,
    encoder_filters=24,
)
MINIATURE = FitScale(
    name="miniature",
    songs=10,
    minutes=(1,),
    held_out_songs=2,
    latent_size=64,
    layers=8,
    codebook_size=256,
    effort=KMeansEffort(first_frames=5_000, first_rounds=6, joint_rounds=3, frames=5_000, rounds=3),
    decoder_filters=16,
    encoder_filters=16,
)
