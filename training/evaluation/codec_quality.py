"""The codec in the file, heard through its own networks: how near the sound stays with the first layers of codes.

Excerpts of held-out songs are encoded and decoded. The mel distance is the mean difference of log10 mel spectra, with
a noise floor of −64 dB full scale on both sides, because digitally empty bands would otherwise decide it.
Legend: C channels, T samples, M mel bands, B frequency bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.codes import FullCodes
from models.checkpoint.codec_file import build_decoder, build_encoder, read_codec_weights
from training.codec_fit.quality import EXCERPT, si_sdr
from training.corpus.grid import HOP_SAMPLES, SAMPLE_RATE_HZ
from training.corpus.render import render
from training.corpus.slices import SliceBank
from training.evaluation.results import Section
from training.evaluation.songs import held_out_song

NOISE_FLOOR_DB = -64.0
_MARGIN_SAMPLES = 4 * HOP_SAMPLES
"""Samples at an excerpt's ends that lack what came before and after."""
_FFT, _STRIDE, _MEL_BANDS = 2_048, 512, 80


def measure_codec(codec_file: Path, songs: int) -> Section:
    """SI-SDR in decibels and mel distance by number of layers, means over excerpts of so many songs."""
    weights = read_codec_weights(codec_file)
    device = torch.device("cpu")
    decoder, encoder = build_decoder(weights, device), build_encoder(weights, device)
    most = weights.config.num_quantizers
    counts = [2**power for power in range(most.bit_length()) if 2**power <= most]
    sdr: dict[int, list[float]] = {count: [] for count in counts}
    mel: dict[int, list[float]] = {count: [] for count in counts}
    for index in range(songs):
        composition = held_out_song(index).composition
        bank = SliceBank.of(event.sound for event in composition.events)
        audio = render(composition.events, composition.num_frames, bank)
        heard_CT = audio[:, EXCERPT.start * HOP_SAMPLES : EXCERPT.stop * HOP_SAMPLES]
        codes = encoder.encode(heard_CT.numpy()).values
        for count in counts:
            pieces = list(decoder.decode(FullCodes(values=codes[:count])))
            decoded_CT = torch.from_numpy(np.concatenate(pieces, axis=1))
            pair = [signal[:, _MARGIN_SAMPLES:-_MARGIN_SAMPLES] for signal in (decoded_CT, heard_CT)]
            sdr[count].append(si_sdr(*pair))
            mel[count].append(mel_distance(*pair))
    return {"si-sdr": _means(sdr), "mel distance": _means(mel), "songs": songs}


def mel_distance(first_CT: Tensor, second_CT: Tensor) -> float:
    """Mean absolute difference of the log10 mel magnitudes of two signals, over noise floors of their own."""
    return float((_log_mel(first_CT) - _log_mel(second_CT)).abs().mean())


def _log_mel(signal_CT: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(64)
    floor = 10 ** (NOISE_FLOOR_DB / 20) * torch.randn(signal_CT.shape, generator=generator)
    spectrum = torch.stft(signal_CT + floor, _FFT, _STRIDE, window=torch.hann_window(_FFT), return_complex=True).abs()
    return (_mel_bands() @ spectrum).clamp(min=1e-5).log10()


@lru_cache(maxsize=1)
def _mel_bands() -> Tensor:
    """Triangles evenly spaced in mel, each with weights that sum to one, [M, B]."""
    bins_hz = torch.linspace(0, SAMPLE_RATE_HZ / 2, _FFT // 2 + 1)
    highest = 2_595 * np.log10(1 + SAMPLE_RATE_HZ / 2 / 700)
    corners_hz = 700 * (10 ** (torch.linspace(0, float(highest), _MEL_BANDS + 2) / 2_595) - 1)
    left, centre, right = corners_hz[:-2, None], corners_hz[1:-1, None], corners_hz[2:, None]
    rising, falling = (bins_hz - left) / (centre - left), (right - bins_hz) / (right - centre)
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return triangles / triangles.sum(1, keepdim=True).clamp(min=1e-6)


def _means(scores: dict[int, list[float]]) -> dict[str, float]:
    return {str(count): round(_mean(values), 3) for count, values in scores.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
