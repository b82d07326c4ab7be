"""What a long run has reached, small enough to keep: go on from there on another day, or on another machine.

    python -m training.halfway keep OUT HALFWAY     # codec, and the backbone in half precision without its optimiser
    python -m training.halfway take HALFWAY OUT     # then: python -m training.demo OUT

The optimiser starts anew, which costs some dozens of steps; everything else goes on as if there had been no break.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch

from models.checkpoint.tree import PUBLISHED_CODEC
from training.codec import QUALITY_FILE
from training.loop import OPTIMISER, state_file

_BACKBONE = "backbone"
_WHOLE_FILES = (PUBLISHED_CODEC, QUALITY_FILE, f"{_BACKBONE}.csv")


def keep(out: Path, halfway: Path) -> None:
    """Write what is worth keeping of the run in ``out``."""
    halfway.mkdir(parents=True, exist_ok=True)
    for name in _WHOLE_FILES:
        shutil.copy(out / name, halfway / name)
    state = torch.load(state_file(out, _BACKBONE), map_location="cpu", weights_only=True)
    state.pop(OPTIMISER, None)
    state["trainer"] = {name: tensor.half() for name, tensor in state["trainer"].items()}
    torch.save(state, state_file(halfway, _BACKBONE))


def take(halfway: Path, out: Path) -> None:
    """Begin a run in ``out``, which must not have begun; the corpus is made from the codec's file in half a minute."""
    if state_file(out, _BACKBONE).exists():
        raise SystemExit(f"{out} has begun a run of its own; name another directory.")
    # Only here: reading a codec's file needs more than a GPU machine's stock image has.
    from training.evaluation.corpus_from_file import corpus_codec_of

    out.mkdir(parents=True, exist_ok=True)
    corpus_codec_of(halfway / PUBLISHED_CODEC).save(out)
    for name in (*_WHOLE_FILES, state_file(halfway, _BACKBONE).name):
        shutil.copy(halfway / name, out / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("keep", "take"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    (keep if options.action == "keep" else take)(options.source, options.target)


if __name__ == "__main__":
    main()
