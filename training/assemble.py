"""Make a checkpoint of what training wrote: models, codec, tokenizer, and a card with its name.

    python -m training.assemble OUT [CHECKPOINT] [--name khala-demo-vN]

The curves and the codec's figures are copied beside it, into ``CHECKPOINT/training``.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from models.checkpoint.card import CheckpointCard
from models.checkpoint.torch_dist import ITERATION_FILE, iteration_directory
from models.checkpoint.tree import PUBLISHED_CODEC, find_checkpoints
from models.checkpoint.word_tokenizer import write_word_tokenizer
from training.codec import QUALITY_FILE
from training.finish import FINISHED
from training.text import known_words

DEMO_CHECKPOINT = Path(__file__).resolve().parents[1] / "checkpoints" / "demo"
DEMO_NAME = "khala-demo-v5"
LICENCE = "Apache-2.0"
LONGEST = 1.3
"""Songs of the corpus last the asked length within 5 %; one that has not ended by then has lost its way."""
SUGGESTED_MINUTES = 1
"""Most songs it was trained on, and two of them take a laptop a minute."""
RECORDS = ("backbone.csv", "finish.csv", "superres.csv", QUALITY_FILE)


def assemble(out: Path, checkpoint: Path, name: str = DEMO_NAME) -> None:
    """Write the tree beside ``checkpoint`` and put it in its place; the model card that is there stays.

    CheckpointError when training has not written everything.
    """
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{checkpoint.name}-", dir=checkpoint.parent))
    try:
        scratch.chmod(0o755)
        for written in (out / FINISHED / "backbone", out / "superresolution"):
            newest, stage = iteration_directory(written), scratch / written.name
            shutil.copytree(newest, stage / newest.name)
            shutil.copy(written / ITERATION_FILE, stage)
        shutil.copy(out / PUBLISHED_CODEC, scratch / PUBLISHED_CODEC)
        write_word_tokenizer(scratch / "tokenizer", known_words())
        CheckpointCard(
            name=name,
            trained=True,
            fc1_bias="once",
            licence=LICENCE,
            longest=LONGEST,
            suggested_minutes=SUGGESTED_MINUTES,
        ).write(scratch)
        (scratch / "training").mkdir()
        for record in RECORDS:
            shutil.copy(out / record, scratch / "training" / record)
        if (checkpoint / "README.md").exists():
            shutil.copy(checkpoint / "README.md", scratch / "README.md")
        find_checkpoints(scratch)
        shutil.rmtree(checkpoint, ignore_errors=True)
        scratch.rename(checkpoint)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("checkpoint", type=Path, nargs="?", default=DEMO_CHECKPOINT)
    parser.add_argument("--name", default=DEMO_NAME)
    options = parser.parse_args()
    assemble(options.out, options.checkpoint, options.name)


if __name__ == "__main__":
    main()
