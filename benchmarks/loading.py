"""How long a transformer takes to load and what the host needs meanwhile, against reading its files and its own size.

    python -m benchmarks.loading [--shape demo|medium|published] [--dtype float32|bfloat16] [--cold]

Writes random weights in the published format and bfloat16, then loads them in a process of its own. Reading is timed
right before, of the same files, so both find them in the system's cache or neither does; ``--cold`` asks the system to
drop them first. The peak is of the process's own memory; mapped files do not count, since
the system takes their pages back at will. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import torch

from benchmarks.random_engine import random_transformer
from benchmarks.setting import setting
from benchmarks.shapes import LAYOUT, SHAPES
from core.token_layout import COARSE_LAYERS
from models.checkpoint.megatron_export import megatron_tensors
from models.checkpoint.names import MegatronNames
from models.checkpoint.torch_dist import TorchDistSource
from models.checkpoint.torch_dist_writer import write_torch_dist
from models.checkpoint.transformer_weights import Fc1Bias, load_transformer
from models.devices import DTYPES, choose_device, choose_formats

_SAMPLE_SECONDS = 0.002
_READ_BYTES = 16 << 20


def main() -> None:
    options = _options()
    device = choose_device(options.device)
    if options.load:
        sys.stdout.write(json.dumps(_load(options.load, options.shape, device, options.dtype)) + "\n")
        return
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        iteration = _write(Path(directory), options.shape)
        if options.cold:
            _forget(iteration)
        read_seconds, file_bytes = _read(iteration)
        if options.cold:
            _forget(iteration)
        command = [sys.executable, "-m", "benchmarks.loading", "--load", str(iteration), "--shape", options.shape]
        command += ["--device", str(device), *(["--dtype", options.dtype] if options.dtype else [])]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    figures = {
        "benchmark": "loading",
        "shape": options.shape,
        "cold": options.cold,
        **setting(device, choose_formats(options.dtype, device).backbone),
        "file_bytes": file_bytes,
        "read_seconds": round(read_seconds, 3),
        **loaded,
        "seconds_over_reading": round(loaded["load_seconds"] / read_seconds, 2),
        "peak_over_weights": round(loaded["peak_bytes"] / loaded["weight_bytes"], 3),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def _write(root: Path, shape: str) -> Path:
    model = random_transformer(SHAPES[shape], LAYOUT, COARSE_LAYERS, torch.device("cpu"), torch.bfloat16)
    arguments = SHAPES[shape].to_arguments(bf16=True, params_dtype=torch.bfloat16)
    return write_torch_dist(root, megatron_tensors(model), arguments, iteration=0)


def _read(directory: Path) -> tuple[float, int]:
    """Seconds to read every file once, and their bytes."""
    began, total = time.perf_counter(), 0
    buffer = bytearray(_READ_BYTES)
    for path in directory.iterdir():
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total += count
    return time.perf_counter() - began, total


def _forget(directory: Path) -> None:
    """Ask the system to drop the files from its cache."""
    for path in directory.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _load(iteration: Path, shape: str, device: torch.device, dtype: str | None) -> dict[str, float]:
    """Load it, with a thread beside that watches how much memory is taken."""
    before = peak = _own_bytes()
    loaded = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not loaded.wait(_SAMPLE_SECONDS):
            peak = max(peak, _own_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    config = SHAPES[shape]
    model = load_transformer(
        MegatronNames(TorchDistSource(iteration), config),
        config,
        vocab_size=LAYOUT.vocab_size(COARSE_LAYERS),
        first_output_row=LAYOUT.text_vocab_size,
        fc1_bias=Fc1Bias.ONCE,
        device=device,
        dtype=choose_formats(dtype, device).backbone,
    )
    seconds = time.perf_counter() - began
    loaded.set()
    watcher.join()
    return {
        "load_seconds": round(seconds, 3),
        "weight_bytes": sum(parameter.nbytes for parameter in model.parameters()),
        "peak_bytes": peak - before,
    }


def _own_bytes() -> int:
    """Memory that is this process's alone."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="medium")
    parser.add_argument("--dtype", choices=DTYPES)
    parser.add_argument("--device")
    parser.add_argument("--cold", action="store_true", help="ask the system to forget the files before each reading")
    parser.add_argument("--directory", type=Path, help="where the weights are written for a while")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
