"""Checkpoints on disk: one reader a format, one writer, and what a tree of them contains."""
