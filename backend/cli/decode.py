"""Turn a file of codes into audio again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from backend.artifacts.encode import to_pcm, write_wav
from backend.artifacts.whole_file import whole_file
from backend.cli.chosen_settings import settings_from
from backend.cli.engine_options import add_engine_options, engine_from
from core.codes import SavedCodes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", type=Path, metavar="CODES.npz")
    parser.add_argument("--out", type=Path, required=True, metavar="X.wav")
    add_engine_options(parser)


def run(options: argparse.Namespace) -> int:
    saved = SavedCodes.load(options.codes)
    with whole_file(options.out) as part:
        engine = engine_from(options, settings_from(options))
        with engine.decoder() as decoder:
            audio = np.concatenate(list(decoder.decode(saved.codes)), axis=1)
        write_wav(part, to_pcm(audio), engine.audio_format.sample_rate_hz)
    sys.stdout.write(f"{options.out}\n")
    return 0
