"""The options with which the model commands open an engine."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from backend.settings import Settings
from backend.workers.bootstrap import open_chosen_engine, open_engine
from core.engine import SongEngine


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--checkpoints", type=Path, help="a checkpoint tree; by default what lies in checkpoints/, or a miniature"
    )
    parser.add_argument("--device", help="cpu, cuda or mps; by default what is there")
    parser.add_argument("--dtype", help="float32 or bfloat16; by default what suits the device")
    parser.add_argument("--engine", choices=["native", "megatron"], help="megatron: the reference, slower")
    parser.add_argument("--tensor-parallel", type=int, metavar="RANKS", help="processes that share its weights")
    parser.add_argument("--quantize", choices=["none", "int8"], help="int8: weights in half of bfloat16's memory")
    parser.add_argument("--fc1-bias", choices=["auto", "once", "twice"], help="how often the fc1 bias counts")


def engine_from(options: argparse.Namespace, settings: Settings) -> SongEngine:
    """The engine on exactly the checkpoint that was named, or on the best there is when none was."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if options.checkpoints is None:
        return open_chosen_engine(settings, device=settings.models.device)
    return open_engine(settings.models, options.checkpoints, device=settings.models.device)
