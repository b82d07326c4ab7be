"""An engine of the published size with random weights, made on the device: real work without a real checkpoint."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TypeVar

import torch
from torch import nn

from core.engine import CodecEncoder, EngineDescription, RuntimeMode
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.backbone import NativeBackbone
from models.codec.config import CodecConfig
from models.codec.decoder import Decoder
from models.codec.native import NativeCodecDecoder
from models.codec.rvq import ResidualVectorQuantizer
from models.residency import ResidentStages
from models.superres import NativeSuperResolver
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer

ModuleT = TypeVar("ModuleT", bound=nn.Module)

PUBLISHED_TRANSFORMER = TransformerConfig(
    num_layers=24, hidden_size=2048, num_heads=32, num_groups=8, head_size=64, ffn_size=5632
)
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


class RandomEngine(ResidentStages):
    """Implements core.engine.SongEngine; text is read as bytes, and songs never end by themselves."""

    def __init__(
        self,
        *,
        device: torch.device,
        dtype: torch.dtype,
        runtime_mode: RuntimeMode = RuntimeMode.ONE_SHOT,
        transformer: TransformerConfig = PUBLISHED_TRANSFORMER,
        codec: CodecConfig = PUBLISHED_CODEC,
    ) -> None:
        self._device, self._dtype, self._transformer, self._codec = device, dtype, transformer, codec
        self.layout = TokenLayout(
            text_vocab_size=128_000, codebook_size=codec.codebook_size, num_quantizers=codec.num_quantizers
        )
        self.audio_format = codec.audio_format
        self.description = EngineDescription(
            checkpoint="random",
            trained=False,
            backbone_name="random",
            superres_name="random",
            codec_name="random",
            fc1_bias="once",
            engine="native",
            device=str(device),
            dtype=str(dtype).removeprefix("torch."),
            runtime_mode=runtime_mode,
        )
        super().__init__(
            runtime_mode, backbone=self._make_backbone, superres=self._make_superres, decoder=self._make_decoder
        )

    def encode_text(self, text: str) -> list[int]:
        return list(text.encode())

    def encoder(self) -> AbstractContextManager[CodecEncoder]:
        raise NotImplementedError("the benchmark encodes nothing")

    def _make_backbone(self) -> NativeBackbone:
        model = self._random_transformer(COARSE_LAYERS)
        model.output_rows(range(self.layout.end_of_generation, self.layout.end_of_generation + 1)).zero_()
        return NativeBackbone(model, self.layout)

    def _make_superres(self) -> NativeSuperResolver:
        return NativeSuperResolver(self._random_transformer(self.layout.num_quantizers), self.layout)

    def _make_decoder(self) -> NativeCodecDecoder:
        with torch.device("meta"):
            decoder = Decoder(self._codec)
        decoder = randomised(decoder, self._device, torch.float32)
        codec = self._codec
        codebooks = torch.randn(codec.num_quantizers, codec.codebook_size, codec.latent_size, device=self._device)
        return NativeCodecDecoder(codec, decoder, ResidualVectorQuantizer(codebooks))

    def _random_transformer(self, layers: int) -> Transformer:
        with torch.device("meta"):
            model = Transformer(
                self._transformer,
                vocab_size=self.layout.vocab_size(layers),
                first_output_row=self.layout.text_vocab_size,
            )
        return randomised(model, self._device, self._dtype)


def randomised(module: ModuleT, device: torch.device, dtype: torch.dtype, *, keep_buffers: bool = False) -> ModuleT:
    """The module's parameters made on the device: ones for vectors and Snake's alphas, small noise for the rest.

    ``keep_buffers`` is for a module that was built with its buffers' true values.
    """
    if keep_buffers:
        module.to(device, dtype)
    else:
        module.to(dtype).to_empty(device=device)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if parameter.dim() == 1 or name.endswith("alpha"):
                parameter.fill_(1.0)
            else:
                parameter.normal_(0.0, parameter[0].numel() ** -0.5)
    return module.requires_grad_(False).eval()
