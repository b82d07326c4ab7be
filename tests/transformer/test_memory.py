"""How much memory a checkpoint asks for: weights that lie there together, and the keys and values of every track."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from core.engine import RuntimeMode
from models.devices import Formats
from models.memory import MemoryNeed, block_numbers
from models.transformer.config import TransformerConfig
from models.transformer.quantize import Quantize

CONFIG = TransformerConfig(
    num_layers=3, hidden_size=64, num_heads=4, num_groups=2, head_size=16, ffn_size=128, rotary_base=10_000.0
)
BLOCKS = block_numbers(CONFIG)
NEED = MemoryNeed(config=CONFIG, stage_numbers=[BLOCKS + 4_000, BLOCKS + 9_000], formats=Formats.both(torch.bfloat16))


def test_one_stage_lies_in_memory_at_a_time_or_both() -> None:
    assert NEED.weights_gb() == pytest.approx(2 * (BLOCKS + 9_000) / 1e9)
    both = replace(NEED, runtime_mode=RuntimeMode.KEEP_LOADED)
    assert both.weights_gb() == pytest.approx(2 * (2 * BLOCKS + 13_000) / 1e9)


def test_int8_shrinks_the_blocks_alone() -> None:
    small = replace(NEED, quantize=Quantize.INT8)
    assert small.weights_gb() == pytest.approx((BLOCKS + 2 * 9_000) / 1e9)


def test_each_track_keeps_keys_and_values_in_the_format_of_its_device() -> None:
    keeps = replace(NEED, runtime_mode=RuntimeMode.KEEP_LOADED)
    one, three = (keeps.total_gb(tracks=tracks, minutes=3) for tracks in (1, 3))
    a_track = (three - one) / 2
    positions = a_track * 1e9 / (2 * 3 * 2 * 16 * 2)
    assert 2 * 3 * 60 * 44_100 / 2_048 < positions < 2 * 4.2 * 60 * 44_100 / 2_048, "with room to run over"
    on_a_cpu = replace(keeps, caches_float32=True)
    assert on_a_cpu.total_gb(tracks=3, minutes=3) - on_a_cpu.total_gb(tracks=1, minutes=3) == pytest.approx(4 * a_track)
