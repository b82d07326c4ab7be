"""What the checks of an accelerator share: their options, songs to compare, and how a finding is said."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.random_engine import random_transformer
from benchmarks.shapes import LAYOUT, SHAPES
from core.codes import CoarseCodes
from core.engine import BackboneGenerator, BackboneTask, Unwatched
from core.errors import GenerationError
from core.token_layout import COARSE_LAYERS
from models.transformer.model import Transformer
from models.verify.agreement import Agreement
from models.verify.foretelling import Foreteller

CPU = torch.device("cpu")
PROMPT = np.arange(1, 33, dtype=np.int32)

CodeArrays: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question, the figure that answers it, and whether that will do."""

    name: str
    figure: float
    passed: bool


def parse_options(description: str | None) -> argparse.Namespace:
    """``device``, ``shape`` and ``frames``."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device")
    parser.add_argument("--shape", choices=SHAPES, default="medium")
    parser.add_argument(
        "--frames", type=int, default=300, help="enough for decoding to pass from one window to the next"
    )
    return parser.parse_args()


def conclude(engine: str, device: torch.device, checks: Sequence[Check]) -> NoReturn:
    """Say what was found of an engine, and leave with it."""
    for check in checks:
        sys.stdout.write(f"{'ok    ' if check.passed else 'FAILED'} {check.name}: {check.figure:.3g}\n")
    found = [asdict(check) for check in checks]
    report = {"benchmark": "check_device", "engine": engine, "device": str(device), "checks": found}
    sys.stdout.write(json.dumps(report) + "\n")
    sys.exit(0 if all(check.passed for check in checks) else 1)


def random_pair(shape: str) -> tuple[Transformer, Transformer]:
    """A backbone and a super-resolution model, float32 on the CPU, the same ones each time."""
    torch.manual_seed(0)
    backbone, superres = (
        random_transformer(SHAPES[shape], LAYOUT, layers, CPU, torch.float32)
        for layers in (COARSE_LAYERS, LAYOUT.num_quantizers)
    )
    return backbone, superres


def check_logits(reference: Foreteller, same: Foreteller, codes_QT: torch.Tensor) -> list[Check]:
    """Both stages of a float32 model against the reference."""
    found = {
        "float32 logits": [one.coarse_logits(PROMPT, codes_QT) for one in (reference, same)],
        "float32 layer logits": [one.layer_logits(PROMPT, codes_QT, 2) for one in (reference, same)],
    }
    worst = {name: Agreement.of(*logits).worst for name, logits in found.items()}
    return [
        Check(name=f"{name}, largest error in nats", figure=error, passed=error < 0.05) for name, error in worst.items()
    ]


def check_cache(reference: Foreteller, backbone: BackboneGenerator, frames: int) -> Check:
    """Greedy codes of a float32 backbone, which keeps a cache, against those of a reference without one."""
    cached = written(backbone, [0], frames, top_k=1)[0].values
    greedy = reference.coarse_logits(PROMPT, torch.from_numpy(cached.T.astype(np.int64))).argmax(-1)
    return check_share("greedy codes from the cache that the CPU would choose", greedy.numpy(), cached, least=0.99)


def check_share(name: str, first: CodeArrays, second: CodeArrays, *, least: float) -> Check:
    """How many codes are equal."""
    equal = float((first == second).mean())
    return Check(name=name, figure=equal, passed=equal >= least)


def tasks_for(seeds: Sequence[int], frames: int, *, top_k: int = 50, expected: int | None = None) -> list[BackboneTask]:
    """A song of each seed; ``expected`` tokens are what memory is taken for at first."""
    return [
        BackboneTask(
            prompt=PROMPT,
            seed=seed,
            top_k=top_k,
            temperature=1.0,
            max_frames=frames,
            expected_tokens=expected or 2 * frames,
        )
        for seed in seeds
    ]


def written(
    backbone: BackboneGenerator, seeds: Sequence[int], frames: int, *, top_k: int = 50, expected: int | None = None
) -> list[CoarseCodes]:
    """Songs of the tasks that ``tasks_for`` makes."""
    found = backbone.generate(tasks_for(seeds, frames, top_k=top_k, expected=expected), Unwatched())
    for codes in found:
        if isinstance(codes, GenerationError):
            raise codes
    return [codes for codes in found if isinstance(codes, CoarseCodes)]
