"""Audio files: 16-bit WAV by libsndfile, 320 kbit/s MP3 by ffmpeg. Knows nothing of jobs or folders.

16 bits are what every player and editor reads; their rounding error (1.5e-5 of full scale) lies far below what the
codec itself changes. Samples beyond full scale are clipped, never wrapped.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt
import soundfile

from backend.artifacts.whole_file import unwritable
from core.engine import AudioArray, AudioFormat
from core.errors import ArtifactError, Mp3EncodingFailed

logger = logging.getLogger(__name__)

PcmArray: TypeAlias = npt.NDArray[np.int16]
"""Samples as files hold them, int16 [samples, channels]."""

MP3_BITRATE = "320k"
_FULL_SCALE = 32767


def to_pcm(audio: AudioArray) -> PcmArray:
    """Round float audio [channels, samples] to 16 bits; ArtifactError when a sample is not a number."""
    if not np.isfinite(audio).all():
        raise ArtifactError(
            "The decoder produced samples that are not numbers, so no audio file was written. "
            "Half precision that overflows does this: try dtype float32."
        )
    return np.rint(np.clip(audio, -1.0, 1.0) * _FULL_SCALE).astype(np.int16).T


def write_wav(path: Path, pcm: PcmArray, sample_rate_hz: int) -> None:
    """Write a 16-bit WAV; ArtifactError when that fails."""
    try:
        soundfile.write(path, pcm, sample_rate_hz, subtype="PCM_16", format="WAV")
    except soundfile.LibsndfileError as error:
        raise unwritable(path, str(error)) from error


def read_wav(path: Path, audio_format: AudioFormat) -> AudioArray:
    """Audio of a file, [channels, samples]; mono is doubled; ArtifactError for another sample rate or more channels."""
    if not path.is_file():
        raise ArtifactError(f"There is no file {path}.")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, TypeError) as error:
        # TypeError is soundfile's word for a name that ends in .raw, which says nothing of what is inside.
        raise ArtifactError(f"{path} could not be read as audio: {error}") from error
    if rate != audio_format.sample_rate_hz:
        raise ArtifactError(
            f"{path} has {rate} samples a second, the codec needs {audio_format.sample_rate_hz}. Convert it first, "
            f"for example with: ffmpeg -i {path.name} -ar {audio_format.sample_rate_hz} converted.wav"
        )
    if samples.shape[1] not in (1, audio_format.channels):
        raise ArtifactError(f"{path} has {samples.shape[1]} channels; mono or {audio_format.channels} are needed.")
    return np.ascontiguousarray(np.broadcast_to(samples, (len(samples), audio_format.channels)).T)


def write_mp3(path: Path, pcm: PcmArray, sample_rate_hz: int, tags: Mapping[str, str]) -> None:
    """Write a 320 kbit/s MP3 with ID3 tags; Mp3EncodingFailed when there is no encoder or it fails."""
    # The samples go in through a pipe, so that no copy of the song lies in a temporary folder when ffmpeg fails.
    source = ["-f", "s16le", "-ar", str(sample_rate_hz), "-ac", str(pcm.shape[1]), "-i", "pipe:0"]
    metadata = [word for name, value in tags.items() for word in ("-metadata", f"{name}={value}")]
    target = ["-f", "mp3", "-b:a", MP3_BITRATE, "-id3v2_version", "3", *metadata, "-y", f"file:{path}"]
    samples = np.ascontiguousarray(pcm, dtype="<i2").tobytes()
    try:
        done = subprocess.run([find_ffmpeg(), "-v", "error", *source, *target], input=samples, capture_output=True)
    except OSError as refusal:
        raise _ffmpeg_failed(path, str(refusal)) from refusal
    if done.returncode != 0:
        raise _ffmpeg_failed(path, done.stderr.decode(errors="replace"))


def find_ffmpeg() -> str:
    """The ffmpeg that comes with imageio-ffmpeg, else the system's; Mp3EncodingFailed when there is neither."""
    try:
        # The bundled one first: it is known to have an MP3 encoder.
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise Mp3EncodingFailed("The MP3 could not be made: no ffmpeg was found. Install ffmpeg.") from error


def _ffmpeg_failed(path: Path, words: str) -> Mp3EncodingFailed:
    logger.warning("ffmpeg could not write %s: %s", path, words.strip())
    return Mp3EncodingFailed("The MP3 could not be made (ffmpeg failed; the log has its words).")
