"""What a checkpoint says of itself, and what it cannot say."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from core.errors import CheckpointError
from models.checkpoint.card import CARD_FILE, CheckpointCard

CARD = CheckpointCard(
    name="khala-test", trained=True, fc1_bias="once", licence="Apache-2.0", longest=1.5, suggested_minutes=2
)


def test_a_card_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert CheckpointCard.read(tmp_path) is None
    CARD.write(tmp_path)
    assert CheckpointCard.read(tmp_path) == CARD


@pytest.mark.parametrize(
    "damage",
    [
        {"name": 3},
        {"trained": "yes"},
        {"fc1_bias": "thrice"},
        {"longest": 0.5},
        {"longest": float("inf")},
        {"longest": True},
        {"longest": "long"},
        {"suggested_minutes": 0},
        {"suggested_minutes": 11},
        {"suggested_minutes": 1.5},
        {"suggested_minutes": True},
        {"colour": "red"},
    ],
)
def test_a_damaged_card_is_refused_by_name(damage: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / CARD_FILE).write_text(json.dumps(asdict(CARD) | damage))
    with pytest.raises(CheckpointError, match=CARD_FILE):
        CheckpointCard.read(tmp_path)
