"""What lies in a directory of checkpoints: which layout, where each model, the codec and the tokenizer are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from core.errors import CheckpointError
from models.checkpoint.card import CheckpointCard
from models.checkpoint.codec_file import read_codec_weights
from models.checkpoint.factored_tables import FactoredTables
from models.checkpoint.names import MegatronNames, PortNames, WeightNames
from models.checkpoint.safetensors_port import SafetensorsSource, read_port_arguments
from models.checkpoint.tensor_source import TensorSource
from models.checkpoint.torch_dist import ITERATION_FILE, TorchDistSource, iteration_directory, read_arguments
from models.tokenizer import TOKENIZER_FILE
from models.transformer.config import TransformerConfig

PUBLISHED_TOKENIZER = Path(__file__).parents[1] / "Tokenizer"
"""Where the published source tree keeps its tokenizer."""

PUBLISHED_CODEC = "dac_rvq_2490000.ckpt"
PORT_CODEC = "decoder_weights.pt"
_PORT_FILES = {
    # stage: weights, arguments
    "backbone": ("khala_backbone.safetensors", "backbone_megatron_args.json"),
    "superresolution": ("khala_superres.safetensors", "superres_megatron_args.json"),
}


@dataclass(frozen=True, kw_only=True)
class StageFiles:
    """One transformer on disk. ``weights`` is its iteration's directory or its safetensors file.

    ``codec`` is the file that factored tables are unfolded with.
    """

    name: str
    weights: Path
    arguments: Path
    iteration: int | None
    codec: Path | None = None

    def open(self) -> tuple[TransformerConfig, WeightNames]:
        """Its sizes and its tensors, nothing of them read yet."""
        if self.weights.suffix == ".safetensors":
            config = TransformerConfig.from_arguments(read_port_arguments(self.arguments), self.arguments)
            return config, PortNames(SafetensorsSource(self.weights), config)
        config = TransformerConfig.from_arguments(read_arguments(self.weights), self.arguments)
        source: TensorSource = TorchDistSource(self.weights)
        if FactoredTables.are_in(source):
            source = FactoredTables(source, self._codebooks)
        return config, MegatronNames(source, config)

    def _codebooks(self) -> Tensor:
        if self.codec is None:
            raise CheckpointError(self.weights, "its factored tables need the codec's file, which is not there")
        return read_codec_weights(self.codec).codebooks()


@dataclass(frozen=True, kw_only=True)
class CheckpointTree:
    """Everything a song needs, found."""

    root: Path
    backbone: StageFiles
    superres: StageFiles
    codec: Path
    tokenizer: Path
    card: CheckpointCard | None


def find_checkpoints(root: Path) -> CheckpointTree:
    """The complete checkpoint tree at ``root``; CheckpointError lists all that is missing from it."""
    backbone, superres = find_stage(root, "backbone"), find_stage(root, "superresolution")
    codec, tokenizer = find_codec(root), find_tokenizer(root)
    if backbone is None or superres is None or codec is None or tokenizer is None:
        raise CheckpointError(root, "the checkpoint is not complete. " + " ".join(missing_parts(root)))
    return CheckpointTree(
        root=root,
        backbone=backbone,
        superres=superres,
        codec=codec,
        tokenizer=tokenizer,
        card=CheckpointCard.read(root),
    )


def missing_parts(root: Path) -> list[str]:
    """A sentence for each part that ``root`` lacks; empty when a song can be made from it."""
    if not root.is_dir():
        return ["The directory does not exist."]
    missing = [
        f"The {label} is missing: '{directory}/{ITERATION_FILE}' or '{_PORT_FILES[directory][0]}' was expected."
        for directory, label in (("backbone", "backbone"), ("superresolution", "super-resolution model"))
        if not _has_stage(root, directory)
    ]
    if find_codec(root) is None:
        missing.append(f"The codec is missing: '{PUBLISHED_CODEC}', another '.ckpt' or '{PORT_CODEC}' was expected.")
    if find_tokenizer(root) is None:
        looked = ", ".join(str(place) for place in _tokenizer_places(root))
        missing.append(f"The tokenizer is missing: '{TOKENIZER_FILE}' was looked for in {looked}.")
    return missing


def has_weights(root: Path) -> bool:
    """Whether any model or codec lies at ``root``, complete or not."""
    return any((root / stage).exists() or _has_stage(root, stage) for stage in _PORT_FILES) or bool(find_codec(root))


def find_stage(root: Path, stage: str) -> StageFiles | None:
    """The ``backbone`` or ``superresolution`` at ``root``, in either layout."""
    if not _has_stage(root, stage):
        return None
    if (root / stage / ITERATION_FILE).exists():
        weights = iteration_directory(root / stage)
        iteration = int(weights.name.removeprefix("iter_"))
        arguments = weights / "common.pt"
        name = f"{stage}-{iteration}"
        return StageFiles(name=name, weights=weights, arguments=arguments, iteration=iteration, codec=find_codec(root))
    weights, arguments = (root / name for name in _PORT_FILES[stage])
    return StageFiles(name=weights.stem, weights=weights, arguments=arguments, iteration=None)


def find_codec(root: Path) -> Path | None:
    named = [root / PUBLISHED_CODEC, *sorted(root.glob("*.ckpt")), root / PORT_CODEC]
    return next((path for path in named if path.is_file()), None)


def find_tokenizer(root: Path) -> Path | None:
    found = (place / TOKENIZER_FILE for place in _tokenizer_places(root))
    return next((path for path in found if path.is_file()), None)


def _has_stage(root: Path, stage: str) -> bool:
    return (root / stage / ITERATION_FILE).exists() or (root / _PORT_FILES[stage][0]).exists()


def _tokenizer_places(root: Path) -> list[Path]:
    return [root / "tokenizer", root, root / "backbone", root / "superresolution", PUBLISHED_TOKENIZER]
