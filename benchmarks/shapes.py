"""The sizes that are measured: the demo's, one that fits a laptop, the published one."""

from __future__ import annotations

from dataclasses import replace

from core.token_layout import TokenLayout
from models.codec.config import CodecConfig
from models.transformer.config import TransformerConfig

SHAPES = {
    "demo": TransformerConfig(num_layers=6, hidden_size=256, num_heads=4, num_groups=4, head_size=64, ffn_size=704),
    "medium": TransformerConfig(
        num_layers=15, hidden_size=1024, num_heads=16, num_groups=4, head_size=64, ffn_size=2816
    ),
    "published": TransformerConfig(
        num_layers=24, hidden_size=2048, num_heads=32, num_groups=8, head_size=64, ffn_size=5632
    ),
}
"""4 million weights in the blocks, 170 million, 1.08 billion."""

LAYOUT = TokenLayout(text_vocab_size=1000, codebook_size=1024, num_quantizers=64)
"""Little text, so that nobody gains by not projecting on words."""

PUBLISHED_CODEC = CodecConfig(
    channels=2,
    latent_size=128,
    num_quantizers=64,
    codebook_size=1024,
    decoder_width=3072,
    decoder_rates=(8, 8, 8, 4),
    encoder_width=128,
    encoder_strides=(4, 8, 8, 8),
)

SMALL_CODEC = replace(PUBLISHED_CODEC, decoder_width=384)
CODECS = {"demo": SMALL_CODEC, "medium": SMALL_CODEC, "published": PUBLISHED_CODEC}
"""What stands behind each size: a small model is not measured by waiting for the published decoder."""
