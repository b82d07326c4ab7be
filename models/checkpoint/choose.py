"""Which checkpoint to use when nobody names one: published weights, else the demo, else the untrained miniature."""

from __future__ import annotations

import logging
from pathlib import Path

from core.errors import CheckpointError
from models.checkpoint.tree import has_weights, missing_parts

_log = logging.getLogger(__name__)


def present_checkpoints(root: Path) -> Path | None:
    """The tree to load from ``root``, as far as there is one.

    A tree that was begun but is not complete is an error, never silently passed over for a lesser one.
    """
    missing = missing_parts(root)
    if not missing:
        return root
    if has_weights(root):
        raise CheckpointError(root, "weights are there, but the checkpoint is not complete. " + " ".join(missing))
    demo, miniature = root / "demo", root / "miniature"
    if demo.is_dir():
        return demo
    return miniature if miniature.is_dir() and any(miniature.iterdir()) else None


def choose_checkpoints(root: Path) -> Path:
    """The tree to load from ``root``; writes the miniature there when there is nothing else."""
    if present := present_checkpoints(root):
        return present
    miniature = root / "miniature"
    _log.warning("No trained checkpoint under %s: writing an untrained miniature, which only makes noise.", root)
    from models.checkpoint.miniature import write_miniature  # what writes checkpoints takes a second to import

    try:
        write_miniature(miniature)
    except CheckpointError:
        # Two workers that start together both write one; the slower finds the faster's.
        if missing_parts(miniature):
            raise
    return miniature
