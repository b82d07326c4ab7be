"""What the published size needs of a GPU, and cannot be faster than, as ENVIRONMENT_SETUP.md has it; computed.

    python -m benchmarks.cards

In bfloat16. A decode step reads the weights of all blocks once, however many tracks there are, so a card's bandwidth
bounds the backbone; super-resolution and the decoder come on top.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import torch

from benchmarks.shapes import SHAPES
from core.engine import RuntimeMode
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.devices import Formats
from models.memory import MemoryNeed, block_numbers
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer
from models.transformer.quantize import Quantize

_LAYOUT = TokenLayout(text_vocab_size=128_000, codebook_size=1024, num_quantizers=64)
_CARDS_GB = (6, 8, 12, 16, 24, 48, 80)
_BANDWIDTHS = {
    "RTX 4060, 8 GB": 272,
    "RTX 3060, 12 GB": 360,
    "RTX 4090, 24 GB": 1008,
    "A100, 80 GB": 2039,
    "H200, 141 GB": 4800,
}
"""Gigabytes a second, as their maker states them."""
_TOKENS_A_MINUTE = 2584
_BATCHES = (1, 2, 4)


def memory_table() -> str:
    """Markdown: a row a way to run, a column a batch, in each the gigabytes and the smallest card that has them."""
    heads = [
        f"| --runtime-mode | KHALA_QUANTIZE | 1 track | {' | '.join(f'{tracks} tracks' for tracks in _BATCHES[1:])} |",
        f"| --- | --- |{' --- |' * len(_BATCHES)}",
    ]
    return "\n".join([*heads, *_rows()]) + "\n"


def speed_table() -> str:
    """Markdown: a row a card, with the least seconds the backbone takes for a minute of audio."""
    lines = [
        "| card | bandwidth, GB/s | backbone, seconds a minute of audio: at least |",
        "| --- | --- | --- |",
    ]
    blocks = block_numbers(SHAPES["published"])
    for card, bandwidth in _BANDWIDTHS.items():
        seconds = _TOKENS_A_MINUTE * blocks * torch.bfloat16.itemsize / (bandwidth * 1e9)
        lines.append(f"| {card} | {bandwidth} | {seconds:.1f} |")
    return "\n".join(lines) + "\n"


def _rows() -> Iterator[str]:
    shape = SHAPES["published"]
    for mode in RuntimeMode:
        for quantize in Quantize:
            need = MemoryNeed(
                config=shape,
                stage_numbers=[_numbers(shape, layers) for layers in (COARSE_LAYERS, _LAYOUT.num_quantizers)],
                formats=Formats.both(torch.bfloat16),
                quantize=quantize,
                runtime_mode=mode,
            )
            cells = [_cell(need.total_gb(tracks=tracks)) for tracks in _BATCHES]
            yield f"| {mode.value} | {quantize.value} | {' | '.join(cells)} |"


def _numbers(shape: TransformerConfig, layers: int) -> int:
    with torch.device("meta"):
        model = Transformer(shape, vocab_size=_LAYOUT.vocab_size(layers), first_output_row=_LAYOUT.text_vocab_size)
    return sum(parameter.numel() for parameter in model.parameters())


def _cell(gigabytes: float) -> str:
    card = next((card for card in _CARDS_GB if gigabytes <= card), None)
    return f"{gigabytes:.1f} GB" + (f": a card of {card}" if card else "")


if __name__ == "__main__":
    sys.stdout.write(f"{memory_table()}\n{speed_table()}")
