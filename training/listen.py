"""Songs of the corpus as WAV files, to hear what the models are trained on.

    python -m training.listen OUT [--songs N] [--seed N] [--minutes N]

Beside each file lies the request that asks for it.
"""

from __future__ import annotations

import argparse
import json
import wave
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from training.corpus.dataset import HELD_OUT_SEED, song
from training.corpus.grid import SAMPLE_RATE_HZ
from training.corpus.render import render
from training.corpus.slices import SliceBank
from training.corpus.song_plan import MINUTES


def write_wav(path: Path, audio_CT: Tensor) -> None:
    """Write stereo audio [2, T] with 16 bits."""
    pcm = (audio_CT.clamp(-1, 1) * 32_767).round().to(torch.int16)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(pcm))
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm.T.contiguous().numpy().tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description="Write songs of the corpus as WAV files.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--songs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=HELD_OUT_SEED)
    parser.add_argument("--minutes", type=int, choices=MINUTES, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for index in range(arguments.songs):
        made = song(arguments.seed, index, minutes=(arguments.minutes,))
        events, num_frames = made.composition.events, made.composition.num_frames
        bank = SliceBank.of(event.sound for event in events)
        stem = arguments.out / f"{index:02d}_{made.plan.genre.value}"
        write_wav(stem.with_suffix(".wav"), render(events, num_frames, bank))
        stem.with_suffix(".json").write_text(json.dumps(asdict(made.request), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
