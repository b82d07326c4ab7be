"""Evaluate a trained demo checkpoint from its files alone, and write its model card and pictures.

    python -m training.evaluate [--checkpoint DIR] [--songs N] [--out DIR] [--gate]

Writes OUT/evaluation.json, the checkpoint's README.md and pictures; prints the goals. What lies in OUT and still holds
is not measured again. With --gate the exit code is 1 when a figure is below what it takes to ship.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
from pathlib import Path

import numpy as np
import torch

from core.request import SamplingOptions
from training.assemble import DEMO_CHECKPOINT
from training.backbone_recipes import RECIPES
from training.corpus.dataset import HELD_OUT_SEED
from training.evaluation.goals import as_table, judge
from training.evaluation.model_card import CARD_FILE, Report, model_card
from training.evaluation.pictures import draw_curves, draw_spectrogram
from training.evaluation.results import write_json
from training.evaluation.sections import LISTENING_SEED, Effort, Evaluation
from training.evaluation.sound import PICTURED_SONG_FILE
from training.evaluation.subject import Subject

RECORDS_DIRECTORY = "training"
"""Where a checkpoint keeps the curves of its training."""

TEMPERATURE = 1.0
"""What every request has that does not say otherwise; 0.4 of the trained one (``training.backbone.SHARPNESS``)."""


def main() -> int:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    options.out.mkdir(parents=True, exist_ok=True)
    subject = Subject.open(options.checkpoint, options.out, codec_directory=options.codec)
    sampling = SamplingOptions(temperature=options.temperature)
    recipe = RECIPES[options.recipe]
    effort = Effort(generated=options.songs)
    evaluation = Evaluation(subject, options.out, effort=effort, sampling=sampling, recipe=recipe)
    sections = evaluation.run()
    verdicts = judge(sections)

    report: Report = {
        "checkpoint": subject.engine.description.checkpoint,
        "licence": subject.engine.description.licence,
        "command": f"python -m training.evaluate --songs {options.songs} --temperature {options.temperature:g}",
        "seeds": {"training": recipe.seed, "meters": LISTENING_SEED, "held out": HELD_OUT_SEED},
        "sampling": {
            "temperature": sampling.temperature,
            "top k": sampling.top_k_backbone,
            "top k superres": sampling.top_k_superres,
        },
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        "gate": {verdict.goal.name: round(verdict.value, 4) for verdict in verdicts},
        "ships": all(verdict.ships for verdict in verdicts),
        "sections": sections,
    }
    write_json(options.out / "evaluation.json", report)
    from_card = {
        title: Path(os.path.relpath(path, options.checkpoint)).as_posix() for title, path in _pictures(options).items()
    }
    card = model_card(report, as_table(verdicts), pictures=from_card)
    (options.checkpoint / CARD_FILE).write_text(card, encoding="utf-8")
    sys.stdout.write(as_table(verdicts) + "\n")
    return 1 if options.gate and not report["ships"] else 0


def _pictures(options: argparse.Namespace) -> dict[str, Path]:
    """Draw them; where each lies, by what it shows."""
    assets: Path = options.assets
    assets.mkdir(parents=True, exist_ok=True)
    drawn = {"Spectrogram of a generated song": assets / "demo-song.png"}
    draw_spectrogram(np.load(options.out / PICTURED_SONG_FILE), assets / "demo-song.png")
    for curves in sorted((options.checkpoint / RECORDS_DIRECTORY).glob("*.csv")):
        drawn[f"Training of {curves.stem}"] = assets / f"loss-{curves.stem}.png"
        draw_curves(curves, assets / f"loss-{curves.stem}.png")
    return drawn


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=DEMO_CHECKPOINT)
    parser.add_argument("--codec", type=Path, help="a fit's directory; by default all comes from the codec's file")
    parser.add_argument("--recipe", choices=RECIPES, default="cpu", help="how it was trained, for the novelty of songs")
    parser.add_argument("--songs", type=int, default=Effort.generated, help="one-minute songs to generate")
    parser.add_argument("--temperature", type=float, default=TEMPERATURE)
    parser.add_argument("--out", type=Path, default=Path("checkpoints/evaluation"))
    parser.add_argument("--assets", type=Path, default=Path("assets"), help="where pictures go")
    parser.add_argument("--gate", action="store_true", help="exit with 1 when a figure is too low to ship")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
