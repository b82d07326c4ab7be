"""Ask a running server for songs, listen to them with meters, and keep a few as MP3 with the requests that made them.

    python -m training.gallery URL OUT [--checkpoint DIR] [--keep N]

The server must serve the demo checkpoint: its songs are read back into codes, in which the meters hear.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import imageio_ffmpeg
import numpy as np
import soundfile

from core.codes import CodeArray
from training.assemble import DEMO_CHECKPOINT
from training.corpus.genres import GENRES
from training.corpus.grid import beats_per_minute
from training.corpus.planning import nearest_tempo_of
from training.corpus.song_plan import offbeat_of
from training.corpus.tags import constraints_in
from training.evaluation.heard import Heard, Listener
from training.evaluation.onsets import share_on_grid
from training.evaluation.sections import LISTENING_SEED
from training.evaluation.sound import describe
from training.evaluation.subject import Subject

_WORDS = """[Verse]
Golden river, carry me home
Over the hills where the wild birds roam

[Chorus]
Sing to the morning, sing to the sun"""
_LESSONS = 1500
_POLL_SECONDS = 1.0
_KEPT_BITRATE = "64k"

REQUESTS: tuple[dict[str, Any], ...] = (
    {"mode": "instrumental", "tags": "Jazz, Piano, Upright Bass, 86 BPM, F Major"},
    {"mode": "vocal", "tags": "Pop, Female Vocals, Electric Piano, C Major, 117 BPM", "lyrics": _WORDS},
    {"mode": "instrumental", "tags": "Synthwave, Synth Arpeggio, A Minor, 99 BPM"},
    {"mode": "instrumental", "tags": "Chiptune, 144 BPM, C Major"},
    {"mode": "instrumental", "tags": "Cinematic, Strings, D Minor, 76 BPM"},
    {"mode": "vocal", "tags": "Folk, Acoustic Guitar, Male Vocals, G Major, 99 BPM", "lyrics": _WORDS},
    {"mode": "instrumental", "tags": "Rock, Electric Guitar, 144 BPM, E Minor"},
    {"mode": "instrumental", "tags": "Hip-Hop, Electric Piano, 86 BPM, A Minor"},
    {"mode": "instrumental", "tags": "House, Synth Bass, 117 BPM"},
    {"mode": "instrumental", "tags": "Lo-fi, Piano, Coffee Shop, Rain"},
    {"mode": "instrumental", "prompt": "A calm piano ballad at 76 BPM in C Major"},
    {"mode": "instrumental", "prompt": "An energetic rock track with electric guitar at 144 BPM"},
    {"mode": "instrumental", "prompt": "Please compose a swing tune with saxophone, around 144 bpm"},
    {"mode": "instrumental", "prompt": "A dreamy synthwave piece for a late night drive, 117 BPM, in A Minor"},
    {"mode": "vocal", "prompt": "A cheerful pop song with female vocals and piano", "lyrics": _WORDS},
    {"mode": "instrumental", "prompt": "I want a chiptune track about robots who learn to dance, 144 BPM"},
    {"mode": "instrumental", "prompt": "An epic cinematic piece with strings and brass in D Minor"},
    {"mode": "instrumental", "prompt": "A hip-hop instrumental with electric piano at 86 BPM"},
    {
        "mode": "vocal",
        "prompt": "A folk song with acoustic guitar, sung with male vocals, in G Major",
        "lyrics": _WORDS,
    },
    {"mode": "instrumental", "prompt": "House music at 117 BPM driven by four on the floor"},
)
"""Tags and sentences as a person writes them; the kept ones are the first of each half."""


def body_of(number: int) -> dict[str, Any]:
    """The request that is posted: one minute, one track, a fixed seed."""
    asked = REQUESTS[number]
    mode = "natural" if "prompt" in asked else "tags"
    return {**asked, "prompt_mode": mode, "duration": 1, "num_tracks": 1, "seed": number}


def make(client: httpx.Client, body: dict[str, Any]) -> bytes:
    """One finished song as WAV; SystemExit says what the server said when there is none."""
    answer = client.post("/generate", json=body)
    if answer.is_error:
        raise SystemExit(f"The server refused the request: {answer.text}")
    address = f"/job/{answer.json()['job_id']}"
    while (job := client.get(address).json())["status"] not in ("completed", "partial", "failed", "cancelled"):
        time.sleep(_POLL_SECONDS)
    if job["status"] != "completed":
        raise SystemExit(f"A song failed: {job['tracks'][0]['error']}")
    return client.get(f"{address}/track/0/wav").content


def line_of(number: int, seconds: float, sound: dict[str, Any], heard: Heard) -> str:
    """One row of the table: what was asked, what was heard."""
    body = body_of(number)
    asked = constraints_in(body.get("prompt", "") or body.get("tags", ""))
    genres = sorted(asked.genre or ())
    tempi = sorted(asked.frames_per_beat or ())
    grid = wanted = "–"
    if len(tempi) == 1:
        style = GENRES[genres[0]] if len(genres) == 1 else None
        tempo = nearest_tempo_of(style, tempi) if style else tempi[0]
        offbeat = offbeat_of(tempo, swing=style is not None and style.swing)
        grid = f"{share_on_grid(heard.onsets, tempo, offbeat):.2f}"
        wanted = f"{beats_per_minute(tempo):.0f}"
    fields = (
        body.get("prompt") or body["tags"],
        f"{seconds:.1f}",
        f"{sound['rms db']:.0f} / {sound['peak db']:.1f}",
        str(sound["clipped samples"]),
        f"{sound['longest pause seconds']:.1f}",
        f"{wanted} / {beats_per_minute(heard.frames_per_beat):.0f}",
        grid,
        f"{' '.join(genre.value for genre in genres) or '–'} / {heard.genre.value}",
    )
    return "| " + " | ".join(fields) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("out", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=DEMO_CHECKPOINT)
    parser.add_argument("--keep", type=int, nargs="*", default=[0, 1, 2, 10, 15, 18], help="numbers of the kept songs")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    subject = Subject.open(options.checkpoint, options.out)
    lessons = subject.corpus.examples(LISTENING_SEED, minutes=(1,))
    listener = Listener(list(islice(lessons, _LESSONS)), subject.corpus.codebook_size)
    sys.stdout.write(
        "| request | seconds | rms / peak, dB | clipped | longest pause, s | bpm asked / heard | on grid | genre |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    with httpx.Client(base_url=options.url, timeout=60) as client:
        for number in range(len(REQUESTS)):
            wav = options.out / f"{number:02d}.wav"
            wav.write_bytes(make(client, body_of(number)))
            samples, rate = soundfile.read(wav, dtype="float32", always_2d=True)
            audio = np.ascontiguousarray(samples.T)
            row = line_of(number, len(samples) / rate, describe(audio), listener.hear(_coarse(subject, audio)))
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()
            if number in options.keep:
                _keep(wav, options.out / f"song-{options.keep.index(number) + 1}.mp3")
    kept = {f"song-{place + 1}.mp3": body_of(number) for place, number in enumerate(options.keep)}
    (options.out / "gallery.json").write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


def _coarse(subject: Subject, audio: np.ndarray[Any, np.dtype[np.float32]]) -> CodeArray:
    with subject.engine.encoder() as encoder:
        coarse: CodeArray = np.ascontiguousarray(encoder.encode(audio).values[:2].T)
    return coarse


def _keep(wav: Path, mp3: Path) -> None:
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-y", "-v", "error", "-i", wav, "-b:a", _KEPT_BITRATE, mp3], check=True)


if __name__ == "__main__":
    main()
