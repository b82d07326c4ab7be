"""Checks a checkpoint as it will be served: float32 on the CPU is the reference, all else is held against it."""

from __future__ import annotations

import itertools
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.codes import FullCodes
from core.engine import AudioArray, BackboneTask, Unwatched
from core.errors import GenerationError
from core.prompt import backbone_prompt, superres_prompt
from core.request import GenerationRequest, Mode, PromptMode
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.checkpoint.stage import load_stage
from models.checkpoint.transformer_weights import Fc1Bias
from models.checkpoint.tree import CheckpointTree, find_checkpoints
from models.devices import Formats, choose_device
from models.engine_native import NativeEngine, format_name
from models.transformer.model import Transformer
from models.transformer.quantize import Quantize
from models.verify.agreement import Reference, StageAgreement, signal_to_noise_db
from models.verify.foretelling import Foreteller, NativeForeteller

REQUEST = GenerationRequest(
    mode=Mode.VOCAL,
    prompt_mode=PromptMode.TAGS,
    tags="Pop, Piano, Bass, Drums, Female Vocals, Happy, 117 BPM",
    lyrics="[Verse]\nLight on the water and a song in the air\n[Chorus]\nStay a little longer, stay",
    duration_minutes=1,
)
SEED = 1
"""One request and one seed for every check, so that any two can be compared."""

CPU = torch.device("cpu")
PLAIN = Formats.both(torch.float32)
MEGATRON = "megatron-core"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way of running a checkpoint, how it agrees with the reference, and its chain's audio against the other's."""

    name: str
    agreement: StageAgreement
    audio_snr_db: float


@dataclass(frozen=True, kw_only=True)
class Verification:
    """``served_equal`` is the share of tokens that the serving engine, with its cache, chose greedily and the reference
    would have chosen too, given the same beginning; ``variants`` are other formats and engines."""

    checkpoint: str
    fc1_bias: str
    serving: str
    frames: int
    served_equal: float
    variants: tuple[Variant, ...]


def verify(
    checkpoints: Path,
    *,
    device: str | None = None,
    dtype: str | None = None,
    fc1_bias: str = "auto",
    quantize: str = "none",
    frames: int = 64,
) -> Verification:
    """Hold the serving engine, bfloat16, int8 weights and megatron-core (where it is installed) against float32."""
    engine = NativeEngine.open(checkpoints, device=device, dtype=dtype, fc1_bias=fc1_bias, quantize=quantize)
    bench = Bench(engine, find_checkpoints(checkpoints))
    plain = bench.transformers(CPU, PLAIN)
    native = NativeForeteller(*plain, engine.layout)
    reference = bench.reference(native, frames)
    where = choose_device(device)
    formats = _formats(bench, where, engine.formats)
    room = max(len(prompt) for prompt in bench.prompts) + COARSE_LAYERS * reference.chain_QT.shape[1]
    others = itertools.chain(formats, _megatron(plain, engine.layout, room))
    return Verification(
        checkpoint=engine.description.checkpoint,
        fc1_bias=engine.description.fc1_bias,
        serving=f"{engine.description.dtype} on {where}",
        frames=reference.chain_QT.shape[1],
        served_equal=bench.served_equal(native, frames),
        variants=tuple(bench.variants(others, reference)),
    )


class Bench:
    """One checkpoint and its fixed request, to try ways of running it."""

    def __init__(self, engine: NativeEngine, tree: CheckpointTree) -> None:
        self.engine, self._tree = engine, tree
        layout, encode = engine.layout, engine.encode_text
        self.prompts = backbone_prompt(REQUEST, layout, encode), superres_prompt(REQUEST, layout, encode)

    def transformers(
        self,
        device: torch.device,
        formats: Formats,
        *,
        fc1_bias: Fc1Bias | None = None,
        quantize: Quantize = Quantize.NONE,
    ) -> tuple[Transformer, Transformer]:
        """Backbone and super-resolution model in a format of their own."""
        layout = self.engine.layout
        bias = fc1_bias or Fc1Bias(self.engine.description.fc1_bias)
        stages = (
            (self._tree.backbone, COARSE_LAYERS, formats.backbone),
            (self._tree.superres, layout.num_quantizers, formats.superres),
        )
        backbone, superres = (
            load_stage(files, layout, num_layers=layers, fc1_bias=bias, device=device, dtype=dtype, quantize=quantize)
            for files, layers, dtype in stages
        )
        return backbone, superres

    def coarse(self, frames: int) -> torch.Tensor:
        """The first two layers of a song of the checkpoint's own, drawn as songs are drawn, int64 [2, T]."""
        sampling = REQUEST.sampling
        return self._written(frames, top_k=sampling.top_k_backbone, temperature=sampling.temperature)

    def reference(self, model: Foreteller, frames: int) -> Reference:
        """What a trusted model says of that song."""
        return Reference.of(model, self.prompts, self.coarse(frames), self.engine.layout.num_quantizers)

    def variants(self, models: Iterable[tuple[str, Foreteller]], reference: Reference) -> Iterator[Variant]:
        """Each named model held against the reference, one at a time."""
        expected = self._audio(reference.chain_QT)
        for name, model in models:
            agreement = reference.agreement(model)
            snr_db = signal_to_noise_db(expected, self._audio(agreement.chain_QT))
            yield Variant(name=name, agreement=agreement, audio_snr_db=snr_db)

    def served_equal(self, model: Foreteller, frames: int) -> float:
        """Share of the engine's greedy tokens that are ``model``'s too."""
        coarse_QT = self._written(frames, top_k=1, temperature=1.0)
        chosen = model.coarse_logits(self.prompts[0], coarse_QT).argmax(-1)
        return float((chosen == coarse_QT.T).double().mean())

    def _written(self, frames: int, *, top_k: int, temperature: float) -> torch.Tensor:
        task = BackboneTask(
            prompt=self.prompts[0],
            seed=SEED,
            top_k=top_k,
            temperature=temperature,
            max_frames=frames,
            expected_tokens=frames * COARSE_LAYERS,
        )
        with self.engine.backbone() as backbone:
            (written,) = backbone.generate([task], Unwatched())
        if isinstance(written, GenerationError):
            raise written
        return torch.from_numpy(written.values.T.astype(np.int64))

    def _audio(self, codes_QT: torch.Tensor) -> AudioArray:
        with self.engine.decoder() as decoder:
            return np.concatenate(list(decoder.decode(FullCodes(values=codes_QT.numpy().astype(np.int16)))), axis=1)


def _formats(bench: Bench, device: torch.device, served: Formats) -> Iterator[tuple[str, Foreteller]]:
    """What is tried beside the reference: the serving formats, bfloat16, and the serving formats with int8 weights."""
    plain = [(formats, Quantize.NONE) for formats in dict.fromkeys([served, Formats.both(torch.bfloat16)])]
    for formats, weights in (*plain, (served, Quantize.INT8)):
        if (device, formats, weights) != (CPU, PLAIN, Quantize.NONE):
            models = bench.transformers(device, formats, quantize=weights)
            yield f"{format_name(formats, weights)} on {device}", NativeForeteller(*models, bench.engine.layout)


def _megatron(
    plain: tuple[Transformer, Transformer], layout: TokenLayout, room: int
) -> Iterator[tuple[str, Foreteller]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it misses accelerators' libraries, which a check can do without
        try:
            from models.megatron.foretelling import MegatronForeteller
            from models.megatron.process_group import process_group
        except ImportError:
            return
        with tempfile.TemporaryDirectory() as directory, process_group(Path(directory) / "store", CPU):
            yield f"{MEGATRON}, float32 on cpu", MegatronForeteller(*plain, layout, room=room)
