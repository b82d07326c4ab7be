"""What several packages of tests share: one miniature checkpoint a session."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The seeded miniature checkpoint tree; tests read it and never write to it."""
    from models.checkpoint.miniature import write_miniature

    root = tmp_path_factory.mktemp("checkpoints") / "miniature"
    write_miniature(root)
    return root
