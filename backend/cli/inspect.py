"""Say what a checkpoint directory holds, and what is missing."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.errors import CheckpointError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoints", type=Path, metavar="CHECKPOINTS")


def run(options: argparse.Namespace) -> int:
    if not options.checkpoints.is_dir():
        raise CheckpointError(options.checkpoints, "there is no such directory.")

    from models.checkpoint.inspect import inspect_checkpoints

    sys.stdout.write(inspect_checkpoints(options.checkpoints).rstrip() + "\n")
    return 0
