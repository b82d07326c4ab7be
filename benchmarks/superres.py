"""Super-resolution's speed: the native engine against the published procedure, on one model with random weights.

    python -m benchmarks.superres [--shape demo|medium|published] [--seconds 30 60 180 360] [--layers 4]

The published procedure pads every song to 8 192 rows and embeds all columns anew for each layer. Every layer costs the
same, so a few are timed and the time of all 62 is said; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.ceilings import measure_ceilings, synchronise
from benchmarks.random_engine import random_transformer
from benchmarks.setting import setting
from benchmarks.shapes import LAYOUT, SHAPES
from benchmarks.timed_engine import resident_peak_bytes
from core.codes import CoarseCodes
from core.engine import SuperresTask
from core.token_layout import COARSE_LAYERS
from models.devices import choose_device, choose_formats
from models.superres import NativeSuperResolver
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer

PADDED_ROWS = 8192
_FRAMES_PER_SECOND = 44_100 / 2_048
_PROMPT_ROWS = 128
_ALL_LAYERS = 62


@dataclass(frozen=True, kw_only=True)
class Row:
    """One song length: seconds for all layers, and the peak of memory.

    On a CPU that is the process's so far, so that only the first row tells the two apart.
    """

    seconds_of_song: float
    frames: int
    native_seconds: float
    published_seconds: float
    native_peak_bytes: int
    published_peak_bytes: int
    share_of_matrix_ceiling: float


def main() -> None:
    options = _options()
    device = choose_device(options.device)
    dtype = choose_formats(options.dtype, device).superres
    model = random_transformer(SHAPES[options.shape], LAYOUT, LAYOUT.num_quantizers, device, dtype)
    ceilings = measure_ceilings(device, dtype)
    rows = []
    for seconds in options.seconds:
        row = _measure(model, seconds, options.layers, ceilings.operations_per_second)
        rows.append(row)
        sys.stdout.write(
            f"{seconds:>4.0f} s of song   "
            f"native {row.native_seconds:8.1f} s   published {row.published_seconds:8.1f} s   "
            f"{row.published_seconds / row.native_seconds:5.1f} times   "
            f"peak {row.native_peak_bytes / 1e9:.2f} and {row.published_peak_bytes / 1e9:.2f} GB\n"
        )
        sys.stdout.flush()
    report = {
        "benchmark": "superres",
        **setting(device, dtype),
        "shape": options.shape,
        "timed_layers": options.layers,
        "ceilings": asdict(ceilings),
        "rows": [asdict(row) for row in rows],
    }
    sys.stdout.write(json.dumps(report) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="medium")
    parser.add_argument("--seconds", type=float, nargs="+", default=[30, 60, 180, 360])
    parser.add_argument("--layers", type=int, default=4, help="timed, of the 62")
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    return parser.parse_args()


def _measure(model: Transformer, seconds: float, layers: int, operations_per_second: float) -> Row:
    frames = round(seconds * _FRAMES_PER_SECOND)
    rng = np.random.default_rng(0)
    task = SuperresTask(
        prompt=np.arange(_PROMPT_ROWS, dtype=np.int32),
        coarse=CoarseCodes(values=rng.integers(0, 1024, (frames, COARSE_LAYERS)).astype(np.int16)),
        seed=0,
        top_k=10,
    )
    _native(model, task, 1)  # kernels are chosen and compiled once
    native_seconds, native_peak = _timed(model.device, lambda: _native(model, task, layers))
    published_seconds, published_peak = _timed(model.device, lambda: _published(model, task, layers))
    floor = _operations(model.config, _PROMPT_ROWS + frames) / operations_per_second
    return Row(
        seconds_of_song=seconds,
        frames=frames,
        native_seconds=native_seconds / layers * _ALL_LAYERS,
        published_seconds=published_seconds / layers * _ALL_LAYERS,
        native_peak_bytes=native_peak,
        published_peak_bytes=published_peak,
        share_of_matrix_ceiling=floor / (native_seconds / layers),
    )


class _Enough(Exception):
    """As many layers as were wanted are done."""


def _native(model: Transformer, task: SuperresTask, layers: int) -> None:
    done = 0

    def count(fraction: float) -> None:
        nonlocal done
        done += 1
        if done == layers:
            raise _Enough

    try:
        NativeSuperResolver(model, LAYOUT).resolve(task, count)
    except _Enough:
        return


@torch.inference_mode()
def _published(model: Transformer, task: SuperresTask, layers: int) -> None:
    text, frames, device = len(task.prompt), task.coarse.num_frames, model.device
    real = text + frames
    starts = torch.tensor([LAYOUT.window(layer).start for layer in range(64)], device=device)
    columns = torch.full((max(PADDED_ROWS, real), 64), -1, device=device)
    columns[:text, 0] = torch.from_numpy(task.prompt).to(device, torch.long)
    columns[text:real, :2] = torch.from_numpy(task.coarse.values.astype(np.int64)).to(device) + starts[:2]
    seen = (torch.arange(len(columns), device=device) < real)[None, None, None]
    rotation = model.rotation(torch.arange(len(columns), device=device))

    def attend(layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=seen, enable_gqa=True)

    for layer in range(COARSE_LAYERS, COARSE_LAYERS + layers):
        columns[text - 1, 0] = LAYOUT.layer_marker(layer)
        known = (columns >= 0).unsqueeze(-1)
        embedded = (model.embed(columns.clamp_min(0)) * known).sum(1)
        hidden = model(embedded[None], rotation, attend)[0]
        logits = model.logits(hidden, LAYOUT.window(layer))[text:real].float()
        values, indices = logits.topk(task.top_k, dim=-1)
        drawn = indices.gather(-1, torch.multinomial(values.softmax(-1), 1)).squeeze(-1)
        columns[text:real, layer] = drawn + starts[layer]


def _timed(device: torch.device, work: Callable[[], None]) -> tuple[float, int]:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    synchronise(device)
    began = time.perf_counter()
    work()
    synchronise(device)
    seconds = time.perf_counter() - began
    return seconds, torch.cuda.max_memory_allocated(device) if device.type == "cuda" else resident_peak_bytes()


def _operations(config: TransformerConfig, rows: int) -> float:
    """Of one pass: two for each weight and row, and attention's two products."""
    weights = config.hidden_size * (2 * config.query_size + 2 * config.key_value_size + 3 * config.ffn_size)
    return config.num_layers * (2.0 * weights * rows + 4.0 * config.query_size * rows * rows)


if __name__ == "__main__":
    main()
