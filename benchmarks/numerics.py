"""Which operations of a bfloat16 model must be float32, how errors grow over the layers, what the doubled bias does.

    python -m benchmarks.numerics CHECKPOINTS        # a checkpoint's own song
    python -m benchmarks.numerics --shape medium     # random weights of that shape, random codes

Everything is held against float32 on the CPU, as ``python -m backend verify`` does. Each variant is the serving format
with one operation done otherwise. The table has Kullback–Leibler divergences in nats, given the reference's codes;
``chain`` is the share of codes that two greedy songs have in common, where every layer builds on the variant's own
earlier ones. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.alterations import ALTERATIONS, NarrowSums
from benchmarks.setting import setting
from benchmarks.shapes import LAYOUT, SHAPES
from core.codes import IdArray
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.checkpoint.miniature import random_transformer
from models.checkpoint.transformer_weights import Fc1Bias
from models.checkpoint.tree import find_checkpoints
from models.devices import Formats
from models.engine_native import NativeEngine
from models.transformer.attention import attend_causal
from models.transformer.model import Transformer
from models.transformer.quantize import Quantize, quantize_blocks
from models.verify.agreement import Agreement, Reference
from models.verify.foretelling import NativeForeteller, coarse_ids, hidden_states
from models.verify.verification import Bench

_CPU = torch.device("cpu")
_SHOWN_LAYERS = (2, 3, 4, 8, 16, 32, 63)

Pair = tuple[Transformer, Transformer]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is looked at: makes its two models in a format, and knows one song of theirs."""

    name: str
    layout: TokenLayout
    make: Callable[[torch.dtype, Quantize, Fc1Bias], Pair]
    prompts: tuple[IdArray, IdArray]
    coarse_QT: torch.Tensor
    fc1_bias: Fc1Bias


def main() -> None:
    options = _options()
    subject = _checkpoint(options) if options.checkpoints else _random(options)
    plain = subject.make(torch.float32, Quantize.NONE, subject.fc1_bias)
    reference = Reference.of(
        NativeForeteller(*plain, subject.layout), subject.prompts, subject.coarse_QT, subject.layout.num_quantizers
    )
    shown = [layer for layer in _SHOWN_LAYERS if layer < subject.layout.num_quantizers]
    heads = ["backbone", "layer 2", "all layers", *(f"chain at {layer}" for layer in shown), "chain"]
    sys.stdout.write(f"| variant | {' | '.join(heads)} |\n| --- |{' --- |' * len(heads)}\n")
    figures = []
    for name, model in _variants(subject):
        found = reference.agreement(model)
        shares = [found.chain_equal[layer - COARSE_LAYERS] for layer in shown]
        parts = {"backbone": found.backbone, "layer 2": found.layers[0], "all layers": Agreement.mean(found.layers)}
        chain = float(np.mean(found.chain_equal))
        cells = [
            *(f"{part.divergence:.1e}" for part in parts.values()),
            *(f"{share:.0%}" for share in [*shares, chain]),
        ]
        sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")
        sys.stdout.flush()
        chains = [round(share, 3) for share in found.chain_equal]
        figures.append({"variant": name, **{key: asdict(part) for key, part in parts.items()}, "chain": chains})
    bias = _bias_effect(subject, plain, reference)
    result = {"benchmark": "numerics", "subject": subject.name, "frames": subject.coarse_QT.shape[1]}
    sys.stdout.write(json.dumps(result | setting(_CPU, torch.bfloat16) | {"variants": figures, "bias": bias}) + "\n")


def _variants(subject: Subject) -> Iterator[tuple[str, NativeForeteller]]:
    """Formats first, then bfloat16 with one operation changed at a time."""

    def pair(dtype: torch.dtype = torch.bfloat16, quantize: Quantize = Quantize.NONE) -> Pair:
        return subject.make(dtype, quantize, subject.fc1_bias)

    yield "bfloat16, as served", NativeForeteller(*pair(), subject.layout)
    yield "int8 weights, float32", NativeForeteller(*pair(torch.float32, Quantize.INT8), subject.layout)
    yield "int8 weights, bfloat16", NativeForeteller(*pair(quantize=Quantize.INT8), subject.layout)
    for name, alter in ALTERATIONS.items():
        models = pair()
        for model in models:
            alter(model)
        yield name, NativeForeteller(*models, subject.layout)
    yield "sum of a frame's codes in bfloat16", NarrowSums(*pair(), subject.layout)


@torch.inference_mode()
def _bias_effect(subject: Subject, plain: Pair, reference: Reference) -> dict[str, float] | None:
    """The other reading of the fc1 bias against the one in force, float32; None for a model without biases."""
    if not plain[0].config.linear_bias:
        return None
    other_bias = Fc1Bias.ONCE if subject.fc1_bias is Fc1Bias.TWICE else Fc1Bias.TWICE
    other = subject.make(torch.float32, Quantize.NONE, other_bias)
    ids = coarse_ids(subject.prompts[0], reference.chain_QT, subject.layout)
    hidden = [hidden_states(model, model.embed(ids), attend_causal) for model in (plain[0], other[0])]
    agreement = reference.agreement(NativeForeteller(*other, subject.layout))
    effect = {
        "cosine of hidden states": float(F.cosine_similarity(hidden[0], hidden[1], dim=-1).mean()),
        "divergence of the backbone": agreement.backbone.divergence,
        "equal greedy codes of the backbone": agreement.backbone.equal,
        "equal codes of super-resolution's own chain": float(np.mean(agreement.chain_equal)),
    }
    for name, value in effect.items():
        sys.stdout.write(f"fc1 bias {other_bias.value} instead of {subject.fc1_bias.value}: {name} {value:.3g}\n")
    return effect


def _checkpoint(options: argparse.Namespace) -> Subject:
    engine = NativeEngine.open(options.checkpoints, device="cpu", dtype="float32")
    bench = Bench(engine, find_checkpoints(options.checkpoints))
    return Subject(
        name=engine.description.checkpoint,
        layout=engine.layout,
        make=lambda dtype, quantize, bias: bench.transformers(
            _CPU, Formats.both(dtype), quantize=quantize, fc1_bias=bias
        ),
        prompts=bench.prompts,
        coarse_QT=bench.coarse(options.frames),
        fc1_bias=Fc1Bias(engine.description.fc1_bias),
    )


def _random(options: argparse.Namespace) -> Subject:
    """Weights drawn, biases too; embeddings and outputs of 64 layers."""
    shape, layers = SHAPES[options.shape], LAYOUT.num_quantizers

    def make(dtype: torch.dtype, quantize: Quantize, bias: Fc1Bias) -> Pair:
        models = []
        for seed, kept in enumerate((COARSE_LAYERS, layers)):
            model = random_transformer(shape, LAYOUT.vocab_size(kept), torch.Generator().manual_seed(seed))
            if bias is Fc1Bias.TWICE:
                for name, parameter in model.named_parameters():
                    if name.endswith("ffn.gate_up.bias"):
                        parameter.mul_(2)
            # As if they had been stored in bfloat16: only what is computed is to differ.
            model.to(torch.bfloat16).to(dtype)
            models.append(quantize_blocks(model) if quantize is Quantize.INT8 else model)
        return models[0], models[1]

    draw = np.random.default_rng(0)
    prompt = np.array([LAYOUT.begin_of_text, *draw.integers(0, 900, 60), LAYOUT.begin_of_audio], np.int32)
    return Subject(
        name=f"random, {options.shape}",
        layout=LAYOUT,
        make=make,
        prompts=(prompt, prompt),
        coarse_QT=torch.from_numpy(draw.integers(0, LAYOUT.codebook_size, (COARSE_LAYERS, options.frames))),
        fc1_bias=Fc1Bias.TWICE if shape.linear_bias else Fc1Bias.ONCE,
    )


def _options() -> argparse.Namespace:
    assert __doc__
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoints", type=Path, nargs="?", metavar="CHECKPOINTS")
    parser.add_argument("--shape", choices=list(SHAPES), default="demo", help="for random weights")
    parser.add_argument("--frames", type=int, default=64, help="how much of a song, in codec frames")
    return parser.parse_args()


if __name__ == "__main__":
    main()
