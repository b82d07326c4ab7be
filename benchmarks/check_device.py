"""Is an accelerator right? The same random models on it and on the CPU: logits, codes, audio, with and without graphs.

    python -m benchmarks.check_device [--device cuda] [--shape demo|medium] [--frames 96]

Prints one line a check and a line of JSON; exit code 1 when one fails. Needs nothing but NumPy and PyTorch.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.random_engine import random_codec, random_transformer
from benchmarks.shapes import LAYOUT, SHAPES, SMALL_CODEC
from core.codes import CoarseCodes, FullCodes
from core.engine import BackboneTask, SuperresTask, Unwatched
from core.errors import GenerationError
from core.token_layout import TokenLayout
from models.backbone import NativeBackbone
from models.codec.native import NativeCodecDecoder
from models.codec.rvq import ResidualVectorQuantizer
from models.devices import choose_device
from models.superres import NativeSuperResolver
from models.transformer.model import Transformer
from models.verify.agreement import Agreement, signal_to_noise_db
from models.verify.foretelling import NativeForeteller

_CPU = torch.device("cpu")
_PROMPT = np.arange(1, 33, dtype=np.int32)


CodeArrays: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question, the figure that answers it, and whether that will do."""

    name: str
    figure: float
    passed: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device")
    parser.add_argument("--shape", choices=SHAPES, default="medium")
    parser.add_argument(
        "--frames", type=int, default=300, help="enough for decoding to pass from one window to the next"
    )
    options = parser.parse_args()
    device = choose_device(options.device)
    checks = [*_check_transformers(device, options.shape, options.frames), _check_codec(device, options.frames)]
    for check in checks:
        sys.stdout.write(f"{'ok    ' if check.passed else 'FAILED'} {check.name}: {check.figure:.3g}\n")
    report = {"benchmark": "check_device", "device": str(device), "checks": [asdict(check) for check in checks]}
    sys.stdout.write(json.dumps(report) + "\n")
    sys.exit(0 if all(check.passed for check in checks) else 1)


def _check_transformers(device: torch.device, shape: str, frames: int) -> list[Check]:
    torch.manual_seed(0)
    layout = LAYOUT
    backbone, superres = (random_transformer(SHAPES[shape], layout, layers, _CPU, torch.float32) for layers in (2, 64))
    models = backbone, superres
    there = copy.deepcopy(backbone).to(device), copy.deepcopy(superres).to(device)
    half = copy.deepcopy(backbone).to(device, torch.bfloat16), copy.deepcopy(superres).to(device, torch.bfloat16)

    coarse = _written(NativeBackbone(models[0], layout), [0], frames)[0]
    codes_QT = torch.from_numpy(coarse.values.T.astype(np.int64))
    reference, same, rounded = (NativeForeteller(first, second, layout) for first, second in (models, there, half))
    logits = reference.coarse_logits(_PROMPT, codes_QT)
    alike = Agreement.of(logits, same.coarse_logits(_PROMPT, codes_QT))
    bfloat16 = Agreement.of(logits, rounded.coarse_logits(_PROMPT, codes_QT))

    layer = reference.layer_logits(_PROMPT, codes_QT, 2)
    layer_alike = Agreement.of(layer, same.layer_logits(_PROMPT, codes_QT, 2))

    replayed = _written(NativeBackbone(half[0], layout), range(3), frames)
    stepped = _written(NativeBackbone(half[0], layout, graphs=False), range(3), frames)
    grown = _written(NativeBackbone(half[0], layout), range(3), frames, expected=1)
    alone = [_written(NativeBackbone(half[0], layout), [seed], frames)[0] for seed in range(3)]
    cached = _written(NativeBackbone(there[0], layout), [0], frames, top_k=1)[0]
    greedy = reference.coarse_logits(_PROMPT, torch.from_numpy(cached.values.T.astype(np.int64))).argmax(-1)
    return [
        Check(name="float32 logits, largest error in nats", figure=alike.worst, passed=alike.worst < 0.05),
        Check(
            name="float32 layer logits, largest error in nats",
            figure=layer_alike.worst,
            passed=layer_alike.worst < 0.05,
        ),
        Check(
            name="bfloat16 logits, divergence in nats", figure=bfloat16.divergence, passed=bfloat16.divergence < 0.01
        ),
        _share("greedy codes from the cache that the CPU would choose", greedy.numpy(), cached.values, least=0.99),
        _share("codes with graphs that are those without", *_stacked(replayed, stepped), least=1.0),
        _share("codes from a cache that grew that are those without", *_stacked(replayed, grown), least=1.0),
        # A matrix product may sum in another order for another batch: this is a figure, not a condition.
        _share("codes in a batch that are those alone", *_stacked(replayed, alone), least=0.0),
        _check_layers(models[1], there[1], layout, coarse),
    ]


def _check_layers(here: Transformer, there: Transformer, layout: TokenLayout, coarse: CoarseCodes) -> Check:
    task = SuperresTask(prompt=_PROMPT, coarse=coarse, seed=0, top_k=1)
    first, second = (NativeSuperResolver(model, layout).resolve(task, lambda done: None) for model in (here, there))
    return _share("greedy super-resolution codes that are the CPU's", first.values, second.values, least=0.9)


def _check_codec(device: torch.device, frames: int) -> Check:
    torch.manual_seed(1)
    decoder, codebooks = random_codec(SMALL_CODEC, _CPU)
    codes = FullCodes(values=np.random.default_rng(0).integers(0, 1024, (64, frames)).astype(np.int16))
    heard = []
    for where in (_CPU, device):
        quantizer = ResidualVectorQuantizer(codebooks.to(where))
        codec = NativeCodecDecoder(SMALL_CODEC, copy.deepcopy(decoder).to(where), quantizer)
        heard.append(np.concatenate(list(codec.decode(codes)), axis=1))
    snr_db = signal_to_noise_db(*heard)
    return Check(name="codec, signal to noise against the CPU in dB", figure=snr_db, passed=snr_db > 60)


def _written(
    backbone: NativeBackbone, seeds: Sequence[int], frames: int, *, top_k: int = 50, expected: int | None = None
) -> list[CoarseCodes]:
    """``expected`` tokens are what memory is taken for at first."""
    tasks = [
        BackboneTask(
            prompt=_PROMPT,
            seed=seed,
            top_k=top_k,
            temperature=1.0,
            max_frames=frames,
            expected_tokens=expected or 2 * frames,
        )
        for seed in seeds
    ]
    written = backbone.generate(tasks, Unwatched())
    for codes in written:
        if isinstance(codes, GenerationError):
            raise codes
    return [codes for codes in written if isinstance(codes, CoarseCodes)]


def _stacked(first: list[CoarseCodes], second: list[CoarseCodes]) -> tuple[CodeArrays, CodeArrays]:
    return np.stack([codes.values for codes in first]), np.stack([codes.values for codes in second])


def _share(name: str, first: CodeArrays, second: CodeArrays, *, least: float) -> Check:
    equal = float((first == second).mean())
    return Check(name=name, figure=equal, passed=equal >= least)


if __name__ == "__main__":
    main()
