"""How long a person waits: two one-minute tracks from the command line, from start to MP3, on this machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from training.evaluation.results import Section

TRACKS = 2
REQUEST = ("--mode", "instrumental", "--tags", "Pop, Piano, 117 BPM, C Major", "--duration", "1", "--seed", "1")


def measure_speed(checkpoint: Path) -> Section:
    """Wall-clock seconds of one run of ``backend generate``; RuntimeError with its words when it fails."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "backend", "generate", "--checkpoints", str(checkpoint), "--out", out]
        started = time.perf_counter()
        run = subprocess.run([*command, *REQUEST, "--tracks", str(TRACKS)], capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        mp3s = len(list(Path(out).glob("*.mp3")))
        lengths = [json.loads(path.read_text())["duration_sec"] for path in sorted(Path(out).glob("*.json"))]
    if run.returncode or mp3s != TRACKS:
        raise RuntimeError(
            f"backend generate wrote {mp3s} of {TRACKS} tracks and ended with {run.returncode}: {run.stderr}"
        )
    return {
        "seconds": round(seconds, 1),
        "seconds of each track": lengths,
        "cpu cores": os.cpu_count(),
        "machine": platform.machine(),
    }
