"""Generated songs as sound, through all three stages: are they silent anywhere, do they clip, how loud are they."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.codes import CoarseCodes
from core.engine import AudioArray, SuperresTask
from training.corpus.grid import HOP_SAMPLES, SAMPLE_RATE_HZ
from training.evaluation.intervals import estimate
from training.evaluation.results import Section
from training.evaluation.songs import GeneratedSong
from training.evaluation.subject import Subject

PICTURED_SONG_FILE = "pictured_song.npy"
"""The first song, one channel, for its picture."""

SILENCE_DB = -60.0
_LONGEST_PAUSE_SECONDS = 2.0


def measure_sound(subject: Subject, songs: Sequence[GeneratedSong], top_k: int, work: Path) -> Section:
    """Level, clipping and pauses of each song; a pause is a stretch of silent frames before the last sounding one."""
    written = [song for song in songs if len(song.coarse)]
    with subject.engine.superres() as resolver:
        completed = [
            resolver.resolve(
                SuperresTask(
                    prompt=subject.superres_prompt(song.asked.request),
                    coarse=CoarseCodes(values=song.coarse),
                    seed=song.index,
                    top_k=top_k,
                ),
                lambda fraction: None,
            )
            for song in written
        ]
    tracks: list[Section] = []
    with subject.engine.decoder() as decoder:
        for song, codes in zip(written, completed, strict=True):
            audio = np.concatenate(list(decoder.decode(codes)), axis=1)
            if not tracks:
                np.save(work / PICTURED_SONG_FILE, audio[0].astype(np.float16))
            tracks.append(describe(audio) | {"song": song.index, "genre": song.asked.plan.genre.value})
    return {
        "silent": estimate([float(track["silent"]) for track in tracks] + [1.0] * (len(songs) - len(written))),
        "clipping": estimate([float(track["clipped samples"] > 0) for track in tracks]),
        "pausing": estimate([float(track["longest pause seconds"] > _LONGEST_PAUSE_SECONDS) for track in tracks]),
        "tracks": tracks,
    }


def describe(audio_CT: AudioArray) -> Section:
    """Peak and root mean square of audio [C, T] in decibels of full scale, clipped samples, its longest pause."""
    power = np.square(audio_CT, dtype=np.float64)
    frames = power[:, : power.shape[1] // HOP_SAMPLES * HOP_SAMPLES].reshape(len(power), -1, HOP_SAMPLES).mean((0, 2))
    sounding = np.flatnonzero(_decibels(frames) > SILENCE_DB)
    longest = int(np.diff(sounding, prepend=-1).max()) - 1 if len(sounding) else len(frames)
    return {
        "peak db": round(float(_decibels(power.max())), 2),
        "rms db": round(float(_decibels(power.mean())), 2),
        "silent": not len(sounding),
        "clipped samples": int((np.abs(audio_CT) >= 1).sum()),
        "longest pause seconds": round(longest * HOP_SAMPLES / SAMPLE_RATE_HZ, 2),
    }


def _decibels(power: AudioArray | np.float64) -> AudioArray:
    return 10 * np.log10(np.maximum(power, 1e-12))
