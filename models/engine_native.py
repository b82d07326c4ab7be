"""The default engine: the project's own transformer and codec on CUDA, CPU or MPS, from any readable checkpoint."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import torch

from core.engine import BackboneGenerator, CodecEncoder, EngineDescription, RuntimeMode, SuperResolver
from core.errors import CheckpointError, KhalaError
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.backbone import NativeBackbone
from models.checkpoint.card import CheckpointCard
from models.checkpoint.codec_file import build_decoder, build_encoder, read_codec_weights
from models.checkpoint.names import WeightNames
from models.checkpoint.stage import load_stage
from models.checkpoint.transformer_weights import Fc1Bias
from models.checkpoint.tree import CheckpointTree, StageFiles, find_checkpoints
from models.codec.native import NativeCodecDecoder, NativeCodecEncoder
from models.devices import Formats, choose_device, choose_formats
from models.residency import Resident, ResidentStages
from models.superres import NativeSuperResolver
from models.tokenizer import TextTokenizer
from models.transformer.model import Transformer
from models.transformer.quantize import Quantize

PUBLISHED_NAME = "khala-published"
PUBLISHED_LICENCE = "CC BY-NC 4.0"


class NativeEngine(ResidentStages):
    """Implements core.engine.SongEngine."""

    KIND = "native"

    def __init__(
        self,
        tree: CheckpointTree,
        *,
        device: torch.device,
        formats: Formats,
        fc1_bias: Fc1Bias,
        quantize: Quantize,
        runtime_mode: RuntimeMode,
    ) -> None:
        self._tree, self._device, self.formats = tree, device, formats
        self._fc1_bias, self._quantize = fc1_bias, quantize
        self._tokenizer = TextTokenizer(tree.tokenizer)
        codec = read_codec_weights(tree.codec).config
        try:
            self.layout = TokenLayout(
                text_vocab_size=self._tokenizer.text_vocab_size,
                codebook_size=codec.codebook_size,
                num_quantizers=codec.num_quantizers,
            )
        except ValueError as error:
            raise CheckpointError(tree.codec, f"no model can speak of this codec's codes: {error}") from error
        self._tokenizer.check(self.layout)
        self.audio_format = codec.audio_format
        card = tree.card
        self.description = EngineDescription(
            checkpoint=card.name if card else PUBLISHED_NAME,
            trained=card.trained if card else True,
            backbone_name=tree.backbone.name,
            superres_name=tree.superres.name,
            codec_name=tree.codec.name,
            fc1_bias=fc1_bias.value,
            engine=self.KIND,
            device=str(device),
            dtype=format_name(formats, quantize),
            runtime_mode=runtime_mode,
            licence=card.licence if card else PUBLISHED_LICENCE,
            longest=_longest(card),
            suggested_minutes=card.suggested_minutes if card else None,
        )
        super().__init__(
            runtime_mode, backbone=self._load_backbone, superres=self._load_superres, decoder=self._load_decoder
        )
        self._encoder = Resident("the codec's encoder", self._load_encoder, RuntimeMode.ONE_SHOT)

    @classmethod
    def open(
        cls,
        checkpoints: Path,
        *,
        device: str | None = None,
        dtype: str | None = None,
        fc1_bias: str = "auto",
        quantize: str = "none",
        runtime_mode: RuntimeMode = RuntimeMode.ONE_SHOT,
    ) -> NativeEngine:
        """The engine of the checkpoint tree at ``checkpoints``; every file is found and checked, no weights are read.

        Raises CheckpointError for what is missing or does not fit, KhalaError for a device that is not there.
        """
        tree = find_checkpoints(checkpoints)
        chosen = choose_device(device)
        _, backbone = tree.backbone.open()
        engine = cls(
            tree,
            device=chosen,
            formats=choose_formats(dtype, chosen),
            fc1_bias=resolve_fc1_bias(tree, fc1_bias),
            quantize=Quantize(quantize),
            runtime_mode=runtime_mode,
        )
        engine._check_vocabulary(tree.backbone, backbone, COARSE_LAYERS)
        engine._check_vocabulary(tree.superres, tree.superres.open()[1], engine.layout.num_quantizers)
        return engine

    def encode_text(self, text: str) -> list[int]:
        """Ids of a person's text; never a special token."""
        return self._tokenizer.encode(text)

    def encoder(self) -> AbstractContextManager[CodecEncoder]:
        return self._encoder.in_memory()

    def _load_backbone(self) -> BackboneGenerator:
        return NativeBackbone(self._load_backbone_model(self._device), self.layout)

    def _load_superres(self) -> SuperResolver:
        return NativeSuperResolver(self._load_superres_model(self._device), self.layout)

    def _load_backbone_model(self, device: torch.device) -> Transformer:
        return self._load_transformer(self._tree.backbone, COARSE_LAYERS, self.formats.backbone, device)

    def _load_superres_model(self, device: torch.device) -> Transformer:
        return self._load_transformer(self._tree.superres, self.layout.num_quantizers, self.formats.superres, device)

    def _load_transformer(
        self, files: StageFiles, layers: int, dtype: torch.dtype, device: torch.device
    ) -> Transformer:
        return load_stage(
            files,
            self.layout,
            num_layers=layers,
            fc1_bias=self._fc1_bias,
            device=device,
            dtype=dtype,
            quantize=self._quantize,
        )

    def _load_decoder(self) -> NativeCodecDecoder:
        return build_decoder(read_codec_weights(self._tree.codec), self._device)

    def _load_encoder(self) -> NativeCodecEncoder:
        return build_encoder(read_codec_weights(self._tree.codec), self._device)

    def _check_vocabulary(self, files: StageFiles, names: WeightNames, layers: int) -> None:
        """Refuse at once a tokenizer, codec and model that do not belong together."""
        rows, needed = names.vocab_rows(), self.layout.vocab_size(layers)
        if rows < needed:
            raise CheckpointError(
                files.weights, f"its vocabulary has {rows} rows; the tokenizer and the codec need {needed}"
            )


def _longest(card: CheckpointCard | None) -> float | None:
    """How many times the asked length its songs may last; random weights never learned to end one."""
    if card is None:
        return None
    return card.longest if card.trained else 1.0


def format_name(formats: Formats, quantize: Quantize) -> str:
    """The number formats in words: ``bfloat16``, or ``bfloat16 with int8 weights``."""
    return str(formats) if quantize is Quantize.NONE else f"{formats} with {quantize.value} weights"


def resolve_fc1_bias(tree: CheckpointTree, wish: str) -> Fc1Bias:
    """What ``auto`` means for this checkpoint: its card's word, else twice for published weights with such a bias."""
    if wish != "auto":
        try:
            return Fc1Bias(wish)
        except ValueError:
            raise KhalaError(f"fc1_bias must be auto, once or twice, not '{wish}'.") from None
    if tree.card is not None and tree.card.fc1_bias is not None:
        return Fc1Bias(tree.card.fc1_bias)
    names: WeightNames = tree.backbone.open()[1]
    return Fc1Bias.TWICE if names.has_fc1_bias() else Fc1Bias.ONCE
