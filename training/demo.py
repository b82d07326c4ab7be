"""Train the whole demo checkpoint: codec, backbone, super-resolution.

    python -m training.demo OUT [--recipe cpu|gpu|miniature] [--stop-after SECONDS] [--device DEVICE]

Everything is written into OUT, and a run that was stopped, by whatever, goes on from there; nothing but NumPy and
PyTorch is needed. Exit status 75 says that the time was over before the work. ``training.assemble`` makes a checkpoint
of what is found in OUT. ``--trunk random`` starts super-resolution from nothing, for the comparison with the paper.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
import time
from pathlib import Path

import torch

from models.devices import choose_device
from training import backbone, backbone_recipes, superres
from training.codec import QUALITY_FILE, fit_and_measure
from training.codec_fit.scale import DEMO, MINIATURE
from training.corpus.dataset import Corpus
from training.finish import Finish
from training.start import new_transformer
from training.text import corpus_layout

TIME_IS_OVER = 75


def train_demo(
    out: Path, recipe: str, device: torch.device, *, until: float = math.inf, trunk: str = "backbone", workers: int = 0
) -> bool:
    """Train on towards the checkpoint of a recipe; whether all is done at ``time.monotonic()`` = ``until``."""
    out.mkdir(parents=True, exist_ok=True)
    compiled = recipe != "miniature"
    if not (out / QUALITY_FILE).exists():
        fit_and_measure(out, MINIATURE if recipe == "miniature" else DEMO)
    corpus = Corpus.open(out)
    speaker = backbone.Run(backbone_recipes.RECIPES[recipe], corpus, out, device, compiled=compiled, workers=workers)
    if not speaker.train(until=until):
        return False
    speaker.export()
    finish = Finish(backbone_recipes.RECIPES[recipe], corpus, out, device, compiled=compiled, workers=workers)
    if not finish.train(until=until):
        return False
    finish.export()
    start = backbone.read_backbone(out, corpus_layout(corpus))
    if trunk == "random":
        start = new_transformer(start.config, corpus_layout(corpus), corpus.codebooks, seed=0)
    refiner = superres.Run(superres.RECIPES[recipe], corpus, start, out, device, compiled=compiled, workers=workers)
    if not refiner.train(until=until):
        return False
    refiner.export()
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--recipe", choices=backbone_recipes.RECIPES, default="cpu")
    parser.add_argument("--trunk", choices=("backbone", "random"), default="backbone")
    parser.add_argument("--stop-after", type=float, default=math.inf, help="seconds")
    parser.add_argument("--device")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    device = choose_device(options.device)
    # Beside a GPU the cores have time to make songs ahead; a CPU that trains has none to spare.
    workers = 0 if device.type == "cpu" else max(1, (os.cpu_count() or 2) - 2)
    until = time.monotonic() + options.stop_after
    if not train_demo(options.out, options.recipe, device, until=until, trunk=options.trunk, workers=workers):
        sys.stdout.write("The time is over; the same command goes on from here.\n")
        sys.exit(TIME_IS_OVER)


if __name__ == "__main__":
    main()
