"""An engine of the published size with random weights, made on the device: real work without a real checkpoint."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TypeVar

import torch
from torch import nn

from benchmarks.shapes import PUBLISHED_CODEC, SHAPES
from core.engine import CodecEncoder, EngineDescription, RuntimeMode
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.backbone import NativeBackbone
from models.codec.config import CodecConfig
from models.codec.decoder import Decoder
from models.codec.native import NativeCodecDecoder
from models.codec.rvq import ResidualVectorQuantizer
from models.devices import Formats
from models.residency import ResidentStages
from models.superres import NativeSuperResolver
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class RandomEngine(ResidentStages):
    """Implements core.engine.SongEngine; text is read as bytes, and songs never end by themselves."""

    def __init__(
        self,
        *,
        device: torch.device,
        formats: Formats,
        runtime_mode: RuntimeMode = RuntimeMode.ONE_SHOT,
        transformer: TransformerConfig = SHAPES["published"],
        codec: CodecConfig = PUBLISHED_CODEC,
    ) -> None:
        self._device, self._formats, self._transformer, self._codec = device, formats, transformer, codec
        self.layout = TokenLayout(
            text_vocab_size=128_000, codebook_size=codec.codebook_size, num_quantizers=codec.num_quantizers
        )
        self.audio_format = codec.audio_format
        self.description = EngineDescription(
            checkpoint="random",
            trained=False,
            longest=1.0,
            backbone_name="random",
            superres_name="random",
            codec_name="random",
            fc1_bias="once",
            engine="native",
            device=str(device),
            dtype=str(formats),
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
        model = random_transformer(self._transformer, self.layout, COARSE_LAYERS, self._device, self._formats.backbone)
        return NativeBackbone(model, self.layout)

    def _make_superres(self) -> NativeSuperResolver:
        layers = self.layout.num_quantizers
        model = random_transformer(self._transformer, self.layout, layers, self._device, self._formats.superres)
        return NativeSuperResolver(model, self.layout)

    def _make_decoder(self) -> NativeCodecDecoder:
        decoder, codebooks = random_codec(self._codec, self._device)
        return NativeCodecDecoder(self._codec, decoder, ResidualVectorQuantizer(codebooks))


def random_transformer(
    shape: TransformerConfig, layout: TokenLayout, layers: int, device: torch.device, dtype: torch.dtype
) -> Transformer:
    """A model of so many layers of codes that never ends a song: the end's logit is 0 and others are above it."""
    with torch.device("meta"):
        model = Transformer(shape, vocab_size=layout.vocab_size(layers), first_output_row=layout.text_vocab_size)
    model = randomised(model, device, dtype)
    model.output_rows(range(layout.end_of_generation, layout.end_of_generation + 1)).zero_()
    return model


def random_codec(config: CodecConfig, device: torch.device) -> tuple[Decoder, torch.Tensor]:
    """A decoder and its codebooks [layers, codes, latent size], float32."""
    with torch.device("meta"):
        decoder = Decoder(config)
    codebooks = torch.randn(config.num_quantizers, config.codebook_size, config.latent_size, device=device)
    return randomised(decoder, device, torch.float32), codebooks


def randomised(module: ModuleT, device: torch.device, dtype: torch.dtype, *, keep_buffers: bool = False) -> ModuleT:
    """The module's parameters made on the device: ones for vectors and Snake's alphas, small noise for the rest.

    The noise has no more digits than published weights, which are stored in bfloat16.
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
                parameter.copy_(parameter.bfloat16())
    return module.requires_grad_(False).eval()
