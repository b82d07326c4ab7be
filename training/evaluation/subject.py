"""What is evaluated: a checkpoint tree, the engine that plays it, and the corpus in its codes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import torch

from core.codes import IdArray
from core.prompt import backbone_prompt, superres_prompt
from core.request import GenerationRequest
from models.checkpoint.stage import load_stage
from models.checkpoint.tree import CheckpointTree, StageFiles, find_checkpoints
from models.engine_native import NativeEngine, resolve_fc1_bias
from models.transformer.model import Transformer
from training.corpus.corpus_codec import CORPUS_CODEC_FILE
from training.corpus.dataset import Corpus
from training.evaluation.corpus_from_file import corpus_codec_of
from training.evaluation.results import fingerprint

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """``codec``, ``backbone`` and ``superres`` are fingerprints of a part and of what gives its codes their meaning."""

    tree: CheckpointTree
    engine: NativeEngine
    corpus: Corpus
    codec: str
    backbone: str
    superres: str

    @classmethod
    def open(cls, checkpoint: Path, work: Path, *, codec_directory: Path | None = None) -> Subject:
        """Find everything. The corpus is made from the codec's file and kept in ``work``, or read from a fit's."""
        tree = find_checkpoints(checkpoint)
        codec = fingerprint([tree.codec])
        if codec_directory is None:
            codec_directory = work / f"codec-{codec}"
            if not (codec_directory / CORPUS_CODEC_FILE).exists():
                logger.info("rebuilding the corpus from the codec's file")
                codec_directory.mkdir(parents=True, exist_ok=True)
                corpus_codec_of(tree.codec).save(codec_directory)
        return cls(
            tree=tree,
            engine=NativeEngine.open(checkpoint, device="cpu"),
            corpus=Corpus.open(codec_directory),
            codec=codec,
            backbone=fingerprint([tree.codec, tree.tokenizer, tree.backbone.weights]),
            superres=fingerprint([tree.codec, tree.tokenizer, tree.superres.weights]),
        )

    def backbone_prompt(self, request: GenerationRequest) -> IdArray:
        """Ids as the pipeline makes them."""
        return backbone_prompt(request, self.engine.layout, self.engine.encode_text)

    def superres_prompt(self, request: GenerationRequest) -> IdArray:
        """Ids as the pipeline makes them."""
        return superres_prompt(request, self.engine.layout, self.engine.encode_text)

    def transformer(self, files: StageFiles, layers: int) -> Transformer:
        """The bare model of a stage that knows so many layers, to measure what it foretells."""
        return load_stage(
            files,
            self.engine.layout,
            num_layers=layers,
            fc1_bias=resolve_fc1_bias(self.tree, "auto"),
            device=torch.device("cpu"),
            dtype=torch.float32,
        )
