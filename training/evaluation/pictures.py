"""Pictures for people: what a generated song looks like, and how training went."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.figure import Figure

from training.corpus.grid import SAMPLE_RATE_HZ

_FFT, _STRIDE = 4_096, 2_048
_HIGHEST_HZ = 10_000
_QUIETEST_DB = -90.0
_NOT_CURVES = ("step", "kind", "seconds", "tokens")
_COLOURS = colormaps["tab20"]([*range(0, 20, 2), *range(1, 20, 2)])
_LEAST = 0.01
"""Figures below it are not told apart."""


def draw_spectrogram(signal: npt.NDArray[np.floating], path: Path) -> None:
    """A song of one channel, as a picture of level over time and frequency."""
    samples = signal.astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FFT)[::_STRIDE] * np.hanning(_FFT)
    power_db = 20 * np.log10(np.abs(np.fft.rfft(frames)) / _FFT + 1e-9)
    shown = int(_HIGHEST_HZ * _FFT / SAMPLE_RATE_HZ)
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots()
    extent = (0, len(samples) / SAMPLE_RATE_HZ, 0, _HIGHEST_HZ / 1000)
    axes.imshow(power_db[:, :shown].T, origin="lower", aspect="auto", extent=extent, vmin=_QUIETEST_DB, cmap="magma")
    axes.set(xlabel="seconds", ylabel="kHz")
    figure.savefig(path, dpi=110)


def draw_curves(curves: Path, path: Path) -> None:
    """The figures of a training run over its steps, one line each; held-out ones are drawn strongly."""
    with curves.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in _NOT_CURVES]
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    for number, name in enumerate(names):
        for kind, strength in (("train", 0.35), ("held out", 1.0)):
            told = [row for row in rows if row["kind"] == kind and row[name]]
            points = [(int(row["step"]), max(float(row[name]), _LEAST)) for row in told]
            label = name if kind == "held out" else None
            axes.plot(*zip(*points, strict=True), color=_COLOURS[number], alpha=strength, label=label)
    axes.set(xlabel="step", ylabel="nats or share", yscale="log", ylim=(_LEAST, None))
    figure.legend(loc="outside right upper", fontsize="small")
    figure.savefig(path, dpi=110)
