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
from training.codec_fit.scale import DEMO, MINIATURE

QUALITY_FILE = "codec_quality.json"

logger = logging.getLogger(__name__)


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
    scale = MINIATURE if arguments.miniature else DEMO
    fitted = fit_codec(arguments.out, scale, arguments.seed)
    quality = measure(arguments.out, scale, fitted).as_json()
    (arguments.out / QUALITY_FILE).write_text(json.dumps(quality, indent=2) + "\n")
    for name, value in quality.items():
        logger.info("%s: %s", name, value)


if __name__ == "__main__":
    main()
