"""What ``benchmarks/gpu.sh`` or ``benchmarks/cpu.sh`` left in a folder, as tables.

python -m benchmarks.table DIR
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Report = dict[str, Any]


def main() -> None:
    found = [json.loads(text) for path in sorted(Path(sys.argv[1]).glob("*.json")) if (text := path.read_text())]
    sys.stdout.writelines(f"{line}\n" for line in _lines(found))


def _lines(found: list[Report]) -> Iterator[str]:
    for kind, table in _TABLES.items():
        reports = [report for report in found if report["benchmark"] == kind]
        if reports:
            yield from (*table(reports), "")


def _check_device(reports: list[Report]) -> Iterator[str]:
    for report in reports:
        passed = sum(one["passed"] for one in report["checks"])
        yield f"Right: {passed} of {len(report['checks'])} checks of {report['engine']} on {report['device']}."


def _decode(reports: list[Report]) -> Iterator[str]:
    yield from _settings(reports)
    names = sorted({name for report in reports for row in report["rows"] for name in row["tokens_per_second"]})
    yield from _header("shape", "tracks", "context", *(f"{name}, tokens/s" for name in names), "share of the bandwidth")
    for report in reports:
        for row, share in zip(report["rows"], report["share_of_bandwidth"], strict=True):
            speeds = (row["tokens_per_second"].get(name) for name in names)
            cells = ("" if speed is None else f"{speed:.1f}" for speed in speeds)
            yield _row(report["shape"], row["batch"], row["context"], *cells, f"{share:.0%}")


def _superres(reports: list[Report]) -> Iterator[str]:
    yield from _settings(reports)
    yield from _header(
        "shape", "song, s", "seconds", "published procedure", "times", "share of the matrix product", "peak, GB"
    )
    for report in reports:
        for row in report["rows"]:
            own, theirs = row["native_seconds"], row["published_seconds"]
            yield _row(
                *(report["shape"], f"{row['seconds_of_song']:.0f}", f"{own:.2f}", f"{theirs:.2f}"),
                *(f"{theirs / own:.1f}", f"{row['share_of_matrix_ceiling']:.0%}"),
                f"{row['native_peak_bytes'] / 1e9:.1f}",
            )


def _end_to_end(reports: list[Report]) -> Iterator[str]:
    stages = [*reports[0]["stages"]]
    yield from _header("model", "tracks", "of s each", *(f"{stage}, s a minute" for stage in stages), "all", "peak, GB")
    for report in reports:
        tracks = report["tracks"]
        yield _row(
            *(report["model"], tracks, f"{report['audio_seconds'] / tracks:.0f}"),
            *(f"{report['stages'][stage]['run_seconds_per_minute_of_audio']:.1f}" for stage in stages),
            *(f"{report['run_seconds_per_minute_of_audio']:.1f}", f"{report['peak_memory_bytes'] / 1e9:.1f}"),
        )


def _loading(reports: list[Report]) -> Iterator[str]:
    yield from _header("shape", "weights, GB", "load, s", "times reading its files", "host's peak, times the weights")
    for report in reports:
        yield _row(
            *(report["shape"], f"{report['weight_bytes'] / 1e9:.2f}", report["load_seconds"]),
            *(report["seconds_over_reading"], report["peak_over_weights"]),
        )


def _settings(reports: list[Report]) -> Iterator[str]:
    """One line for each format or machine, with the ceilings measured beside."""
    for report in {(report["hardware"], report["dtype"]): report for report in reports}.values():
        copied = report["ceilings"]["bytes_per_second"] / 1e9
        multiplied = report["ceilings"]["operations_per_second"] / 1e12
        where = f"{report['hardware']}, {report['threads']} threads, torch {report['torch']}, {report['dtype']}"
        yield f"{where}: copies {copied:.0f} GB/s, matrix products {multiplied:.1f} TFLOP/s."
    yield ""


def _header(*names: str) -> Iterable[str]:
    return _row(*names), _row(*["---"] * len(names))


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


_TABLES: dict[str, Callable[[list[Report]], Iterator[str]]] = {
    "check_device": _check_device,
    "decode": _decode,
    "superres": _superres,
    "end_to_end": _end_to_end,
    "loading": _loading,
}

if __name__ == "__main__":
    main()
