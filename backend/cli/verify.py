"""Check a checkpoint's numbers: the serving format and megatron-core against float32, with a verdict in words."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from core.errors import KhalaError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoints", type=Path, metavar="CHECKPOINTS")
    parser.add_argument("--device", help="cpu, cuda or mps; by default what is there")
    parser.add_argument("--dtype", help="float32 or bfloat16; by default what suits the device")
    parser.add_argument("--quantize", choices=["none", "int8"], default="none")
    parser.add_argument("--fc1-bias", choices=["auto", "once", "twice"], default="auto")
    parser.add_argument("--frames", type=int, default=64, help="how much of a song, in codec frames")
    parser.add_argument("--json", action="store_true", help="all figures, for programs")


def run(options: argparse.Namespace) -> int:
    if options.frames < 1:
        raise KhalaError("--frames must be at least 1.")

    from models.verify.report import is_sound, report
    from models.verify.verification import verify

    found = verify(
        options.checkpoints,
        device=options.device,
        dtype=options.dtype,
        fc1_bias=options.fc1_bias,
        quantize=options.quantize,
        frames=options.frames,
    )
    if options.json:
        figures = dataclasses.asdict(found)
        for variant in figures["variants"]:
            del variant["agreement"]["chain_QT"]
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write(report(found))
    return 0 if is_sound(found) else 1
