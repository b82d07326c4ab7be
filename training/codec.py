"""Fit the demo's codec and say how good it is.

    python -m training.codec OUT [--miniature] [--seed N] [--threads N]

Writes into OUT: the codec's file in the published layout, ``corpus_codec.pt`` for training the language models, and
``codec_quality.json``. Run again after an interruption, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import torch

from training.codec_fit.fit import fit_codec
from training.codec_fit.quality import measure
from training.codec_fit.scale import DEMO, MINIATURE, FitScale

QUALITY_FILE = "codec_quality.json"

logger = logging.getLogger(__name__)


def fit_and_measure(out: Path, scale: FitScale, seed: int = 1) -> None:
    """Fit a codec of this scale into ``out``; the file with its quality is written last."""
    quality = measure(out, scale, fit_codec(out, scale, seed)).as_json()
    for name, value in quality.items():
        logger.info("%s: %s", name, value)
    (out / QUALITY_FILE).write_text(json.dumps(quality, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the demo's codec to the corpus.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--miniature", action="store_true", help="a small codec in seconds, for tests")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, help="CPU threads; all by default")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    fit_and_measure(arguments.out, MINIATURE if arguments.miniature else DEMO, arguments.seed)


if __name__ == "__main__":
    main()
