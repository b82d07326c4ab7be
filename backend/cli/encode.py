"""Turn a WAV file into codes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from backend.artifacts.encode import read_wav
from backend.artifacts.whole_file import whole_file
from backend.cli.chosen_settings import settings_from
from backend.cli.engine_options import add_engine_options, engine_from
from core.codes import SavedCodes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("audio", type=Path, metavar="X.wav")
    parser.add_argument("--out", type=Path, required=True, metavar="CODES.npz")
    add_engine_options(parser)


def run(options: argparse.Namespace) -> int:
    # NumPy puts this ending to every name that lacks it.
    out = options.out if options.out.suffix == ".npz" else options.out.with_name(f"{options.out.name}.npz")
    with whole_file(out) as part:
        engine = engine_from(options, settings_from(options))
        audio = read_wav(options.audio, engine.audio_format)
        with engine.encoder() as encoder:
            codes = encoder.encode(audio)
        no_prompt = np.zeros(0, np.int32)
        SavedCodes(codes=codes, backbone_prompt=no_prompt, superres_prompt=no_prompt).save(part)
    sys.stdout.write(f"{out}\n")
    return 0
