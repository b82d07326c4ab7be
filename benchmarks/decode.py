"""Decoding speed: the native engine against megatron-core, Hugging Face's Llama and a concatenating cache.

    python -m benchmarks.decode [--shape demo|medium|published] [--batches 1 2 8] [--contexts 1024 8192 16384]

All have random weights of one shape and a vocabulary of about 3 000 rows. The figures are tokens a second of all tracks
together, the median of several stretches that the contenders run in turn. The last line is JSON; its
``share_of_bandwidth`` is the time in which the weights could be read once, over the time of a native step.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, dataclass

import torch

from benchmarks.ceilings import measure_ceilings, synchronise
from benchmarks.decoders.concatenating import Concatenating
from benchmarks.decoders.contender import Contender
from benchmarks.decoders.native import Native
from benchmarks.setting import setting
from benchmarks.shapes import SHAPES
from models.devices import choose_device, choose_formats

_STRETCHES = 3
_WARM_UP_STEPS = 3


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: tokens a second of each contender, all tracks together."""

    batch: int
    context: int
    tokens_per_second: dict[str, float]


def main() -> None:
    options = _options()
    device = choose_device(options.device)
    dtype = choose_formats(options.dtype, device).backbone
    ceilings = measure_ceilings(device, dtype)
    contenders = [make(SHAPES[options.shape], device, dtype) for make in _contenders(options.without, device)]
    rows = []
    for batch in options.batches:
        for context in options.contexts:
            speeds = _race(contenders, device, batch=batch, context=context, steps=options.steps)
            rows.append(Row(batch=batch, context=context, tokens_per_second=speeds))
            cells = "   ".join(f"{name} {speed:8.1f}" for name, speed in speeds.items())
            sys.stdout.write(f"batch {batch:>2}  context {context:>6}   {cells}\n")
            sys.stdout.flush()
    report = {
        "benchmark": "decode",
        **setting(device, dtype),
        "shape": options.shape,
        "ceilings": asdict(ceilings),
        "weight_bytes": {contender.name: contender.weight_bytes() for contender in contenders},
        "share_of_bandwidth": [
            contenders[0].weight_bytes() / ceilings.bytes_per_second * row.tokens_per_second["native"] / row.batch
            for row in rows
        ],
        "rows": [asdict(row) for row in rows],
    }
    sys.stdout.write(json.dumps(report) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="medium")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 8])
    parser.add_argument("--contexts", type=int, nargs="+", default=[1024, 8192, 16384])
    parser.add_argument("--steps", type=int, default=16, help="of each stretch")
    parser.add_argument("--without", nargs="*", default=[], choices=["transformers", "megatron"])
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    return parser.parse_args()


def _contenders(without: list[str], device: torch.device) -> list[type[Contender]]:
    """Those that can run here: a library that is not installed is said to be missing."""
    found: list[type[Contender]] = [Native, Concatenating]
    if "transformers" not in without:
        try:
            from benchmarks.decoders.hugging_face import HuggingFace

            found.append(HuggingFace)
        except ImportError as error:
            sys.stderr.write(f"{error.name} is not installed, so it takes no part.\n")
    if "megatron" not in without and device.type != "mps":
        try:
            from benchmarks.decoders.megatron_static import MegatronStatic

            found.append(MegatronStatic)
        except ImportError as error:
            sys.stderr.write(f"{error.name} is not installed, so it takes no part.\n")
    return found


def _race(
    contenders: list[Contender], device: torch.device, *, batch: int, context: int, steps: int
) -> dict[str, float]:
    """Tokens a second of each; their stretches alternate, so that what slows the machine slows them alike."""
    speeds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for contender in contenders:
        contender.start(batch=batch, context=context, steps=_WARM_UP_STEPS + _STRETCHES * steps)
        for _ in range(_WARM_UP_STEPS):
            contender.step()
    for _ in range(_STRETCHES):
        for contender in contenders:
            synchronise(device)
            began = time.perf_counter()
            for _ in range(steps):
                contender.step()
            synchronise(device)
            speeds[contender.name].append(batch * steps / (time.perf_counter() - began))
    return {name: statistics.median(found) for name, found in speeds.items()}


if __name__ == "__main__":
    main()
