"""The results of ``benchmarks/gpu.sh`` as one table.

python -m benchmarks.gpu_table DIR
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main() -> None:
    folder = Path(sys.argv[1])
    found = {path.stem: json.loads(path.read_text() or "null") for path in sorted(folder.glob("*.json"))}
    sys.stdout.writelines(f"{line}\n" for line in _lines({name: one for name, one in found.items() if one}))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    if check := found.get("check"):
        passed = sum(one["passed"] for one in check["checks"])
        yield f"right: {passed} of {len(check['checks'])} checks on {check['device']}"
    if decode := found.get("decode"):
        yield f"hardware: {decode['hardware']}, torch {decode['torch']}, {decode['shape']} size, {decode['dtype']}"
        yield f"ceilings: {_ceilings(decode['ceilings'])}"
        for row, share in zip(decode["rows"], decode["share_of_bandwidth"], strict=True):
            speeds = "  ".join(f"{name} {speed:.0f}" for name, speed in row["tokens_per_second"].items())
            where = f"decode, batch {row['batch']}, context {row['context']}"
            yield f"{where}: {speeds} tokens/s, {share:.0%} of the bandwidth"
    for row in found.get("superres", {}).get("rows", []):
        yield (
            f"super-resolution of {row['seconds_of_song']:.0f} s: {row['native_seconds']:.2f} s, published procedure "
            f"{row['published_seconds']:.2f} s, {row['share_of_matrix_ceiling']:.0%} of the matrix product, "
            f"peak {row['native_peak_bytes'] / 1e9:.1f} GB"
        )
    for name in ("song", "long-song", "one-track"):
        if song := found.get(name):
            stages = "  ".join(f"{stage} {figures['run_seconds']:.2f} s" for stage, figures in song["stages"].items())
            length = f"{song['tracks']} tracks, {song['audio_seconds'] / song['tracks']:.0f} s each"
            yield f"{length}: {stages}, peak {song['peak_memory_bytes'] / 1e9:.1f} GB"


def _ceilings(ceilings: dict[str, float]) -> str:
    copied, multiplied = ceilings["bytes_per_second"] / 1e9, ceilings["operations_per_second"] / 1e12
    return f"copies {copied:.0f} GB/s, matrix products {multiplied:.1f} TFLOP/s"


if __name__ == "__main__":
    main()
