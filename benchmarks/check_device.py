"""Is an accelerator right? The same random models on it and on the CPU: logits, codes, audio, with and without graphs.

    python -m benchmarks.check_device [--device cuda] [--shape demo|medium] [--frames 96]

Prints one line a check and a line of JSON; exit code 1 when one fails. Needs nothing but NumPy and PyTorch.
"""

from __future__ import annotations

import copy

import numpy as np
import torch

from benchmarks.checks import (
    CPU,
    PROMPT,
    Check,
    CodeArrays,
    check_cache,
    check_logits,
    check_share,
    conclude,
    parse_options,
    random_pair,
    tasks_for,
    written,
)
from benchmarks.random_engine import random_codec
from benchmarks.shapes import LAYOUT, SMALL_CODEC
from core.codes import CoarseCodes, FullCodes
from core.engine import SuperresTask
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.backbone import NativeBackbone
from models.codec.native import NativeCodecDecoder
from models.codec.rvq import ResidualVectorQuantizer
from models.devices import choose_device
from models.superres import NativeSuperResolver
from models.transformer.model import Transformer
from models.verify.agreement import Agreement, signal_to_noise_db
from models.verify.foretelling import NativeForeteller


def main() -> None:
    options = parse_options(__doc__)
    device = choose_device(options.device)
    checks = [*_check_transformers(device, options.shape, options.frames), _check_codec(device, options.frames)]
    conclude("native", device, checks)


def _check_transformers(device: torch.device, shape: str, frames: int) -> list[Check]:
    layout = LAYOUT
    models = backbone, superres = random_pair(shape)
    there = copy.deepcopy(backbone).to(device), copy.deepcopy(superres).to(device)
    half = copy.deepcopy(backbone).to(device, torch.bfloat16), copy.deepcopy(superres).to(device, torch.bfloat16)

    coarse = written(NativeBackbone(models[0], layout), [0], frames)[0]
    codes_QT = torch.from_numpy(coarse.values.T.astype(np.int64))
    reference, same, rounded = (NativeForeteller(first, second, layout) for first, second in (models, there, half))
    bfloat16 = Agreement.of(reference.coarse_logits(PROMPT, codes_QT), rounded.coarse_logits(PROMPT, codes_QT))

    replayed = written(NativeBackbone(half[0], layout), range(3), frames)
    stepped = written(NativeBackbone(half[0], layout, graphs=False), range(3), frames)
    grown = written(NativeBackbone(half[0], layout), range(3), frames, expected=1)
    alone = [written(NativeBackbone(half[0], layout), [seed], frames)[0] for seed in range(3)]
    return [
        *check_logits(reference, same, codes_QT),
        *([_check_recorded(half[0], layout)] if device.type == "cuda" else []),
        Check(
            name="bfloat16 logits, divergence in nats", figure=bfloat16.divergence, passed=bfloat16.divergence < 0.01
        ),
        check_cache(reference, NativeBackbone(there[0], layout), frames),
        check_share("codes with graphs that are those without", *_stacked(replayed, stepped), least=1.0),
        check_share("codes from a cache that grew that are those without", *_stacked(replayed, grown), least=1.0),
        # A matrix product may sum in another order for another batch: this is a figure, not a condition.
        check_share("codes in a batch that are those alone", *_stacked(replayed, alone), least=0.0),
        _check_layers(models[1], there[1], layout, coarse),
    ]


@torch.inference_mode()
def _check_recorded(model: Transformer, layout: TokenLayout) -> Check:
    """Otherwise steps are launched kernel by kernel: as right, and many times slower."""
    batch = NativeBackbone(model, layout).begin(tasks_for([0], frames=COARSE_LAYERS))
    for _ in range(COARSE_LAYERS):
        batch.step()
    return Check(name="decode steps are recorded", figure=batch.is_recorded, passed=batch.is_recorded)


def _check_layers(here: Transformer, there: Transformer, layout: TokenLayout, coarse: CoarseCodes) -> Check:
    task = SuperresTask(prompt=PROMPT, coarse=coarse, seed=0, top_k=1)
    first, second = (NativeSuperResolver(model, layout).resolve(task, lambda done: None) for model in (here, there))
    return check_share("greedy super-resolution codes that are the CPU's", first.values, second.values, least=0.9)


def _check_codec(device: torch.device, frames: int) -> Check:
    torch.manual_seed(1)
    decoder, codebooks = random_codec(SMALL_CODEC, CPU)
    codes = FullCodes(values=np.random.default_rng(0).integers(0, 1024, (64, frames)).astype(np.int16))
    heard = []
    for where in (CPU, device):
        quantizer = ResidualVectorQuantizer(codebooks.to(where))
        codec = NativeCodecDecoder(SMALL_CODEC, copy.deepcopy(decoder).to(where), quantizer)
        heard.append(np.concatenate(list(codec.decode(codes)), axis=1))
    snr_db = signal_to_noise_db(*heard)
    return Check(name="codec, signal to noise against the CPU in dB", figure=snr_db, passed=snr_db > 60)


def _stacked(first: list[CoarseCodes], second: list[CoarseCodes]) -> tuple[CodeArrays, CodeArrays]:
    return np.stack([codes.values for codes in first]), np.stack([codes.values for codes in second])


if __name__ == "__main__":
    main()
