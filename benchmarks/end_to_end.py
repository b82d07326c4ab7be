"""Seconds a minute of audio for each stage, and peak memory, from a request to samples.

    python -m benchmarks.end_to_end --checkpoints DIR [--seconds 60] [--tracks 2]
    python -m benchmarks.end_to_end --random published [--seconds 2]

Without a directory the untrained miniature is written to a temporary one. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.random_engine import RandomEngine
from benchmarks.setting import hardware
from benchmarks.shapes import CODECS, SHAPES
from benchmarks.timed_engine import TimedEngine
from core.engine import RuntimeMode, SongEngine, Unwatched
from core.pipeline import Song, SongPipeline
from core.request import NUM_TRACKS, GenerationRequest
from models.devices import choose_device, choose_formats

REQUEST = GenerationRequest(
    tags="J-Pop, Female Vocals, Piano, Melancholic, Slow Tempo",
    lyrics="[Verse]\nThe night is long and the road is wide\n[Chorus]\nSing with me till the morning light",
)


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        engine = TimedEngine(_engine(options, Path(scratch)))
        pipeline = SongPipeline(engine)
        songs = []
        for outcome in pipeline.run(REQUEST, list(range(options.tracks)), Unwatched(), max_seconds=options.seconds):
            if not isinstance(outcome.result, Song):
                raise outcome.result
            songs.append(outcome.result)
    rate = engine.audio_format.sample_rate_hz
    minutes = sum(song.audio.shape[1] for song in songs) / rate / 60
    stages = {
        name: asdict(figures) | {"run_seconds_per_minute_of_audio": figures.run_seconds / minutes}
        for name, figures in engine.figures.items()
    }
    tokens = sum(song.backbone_tokens for song in songs)
    report = {
        "benchmark": "end_to_end",
        "model": options.random or engine.description.checkpoint,
        "hardware": hardware(torch.device(engine.description.device)),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "engine": asdict(engine.description),
        "tracks": options.tracks,
        "audio_seconds": minutes * 60,
        "stages": stages,
        "backbone_tokens_per_second": tokens / engine.figures["backbone"].run_seconds,
        "run_seconds_per_minute_of_audio": sum(figures.run_seconds for figures in engine.figures.values()) / minutes,
        "peak_memory_bytes": max(figures.peak_memory_bytes for figures in engine.figures.values()),
    }
    for name, figures in stages.items():
        sys.stdout.write(
            f"{name:<9} load {figures['load_seconds']:7.2f} s   run {figures['run_seconds']:8.2f} s   "
            f"{figures['run_seconds_per_minute_of_audio']:8.2f} s a minute of audio   "
            f"peak {figures['peak_memory_bytes'] / 1e9:6.2f} GB\n"
        )
    sys.stdout.write(json.dumps(report) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--checkpoints", type=Path, help="a checkpoint tree; default: the untrained miniature")
    model.add_argument("--random", choices=SHAPES, help="random weights of a size, before a codec to match")
    parser.add_argument("--seconds", type=float, default=60.0, help="audio a track")
    parser.add_argument("--tracks", type=int, default=int(NUM_TRACKS.default))
    parser.add_argument("--device")
    parser.add_argument("--dtype")
    parser.add_argument("--runtime-mode", type=RuntimeMode, default=RuntimeMode.ONE_SHOT)
    return parser.parse_args()


def _engine(options: argparse.Namespace, scratch: Path) -> SongEngine:
    if options.random:
        device = choose_device(options.device)
        return RandomEngine(
            device=device,
            formats=choose_formats(options.dtype, device),
            runtime_mode=options.runtime_mode,
            transformer=SHAPES[options.random],
            codec=CODECS[options.random],
        )

    # Only a real checkpoint needs what reads one: random weights are made where there is nothing but PyTorch.
    from models.checkpoint.miniature import write_miniature
    from models.engine_native import NativeEngine

    if options.checkpoints is None:
        write_miniature(scratch / "miniature")
    return NativeEngine.open(
        options.checkpoints or scratch / "miniature",
        device=options.device,
        dtype=options.dtype,
        runtime_mode=options.runtime_mode,
    )


if __name__ == "__main__":
    main()
