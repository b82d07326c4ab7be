"""Is megatron-core right on an accelerator? The same random models in it there, and in our own engine on the CPU.

    python -m benchmarks.check_megatron [--device cuda] [--shape demo|medium] [--frames 96]

Prints as ``benchmarks.check_device`` does; needs megatron-core besides.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.checks import PROMPT, Check, check_cache, check_logits, conclude, parse_options, random_pair, written
from benchmarks.shapes import LAYOUT
from core.token_layout import COARSE_LAYERS
from models.backbone import NativeBackbone
from models.devices import choose_device
from models.megatron.foretelling import MegatronForeteller
from models.megatron.gpt import MegatronGpt
from models.megatron.process_group import process_group
from models.megatron.stages import MegatronBackbone
from models.verify.foretelling import NativeForeteller


def main() -> None:
    options = parse_options(__doc__)
    device = choose_device(options.device)
    with tempfile.TemporaryDirectory() as folder, process_group(Path(folder) / "store", device):
        checks = _checks(device, options.shape, options.frames)
    conclude("megatron-core", device, checks)


def _checks(device: torch.device, shape: str, frames: int) -> list[Check]:
    backbone, superres = random_pair(shape)
    there = copy.deepcopy(backbone).to(device), copy.deepcopy(superres).to(device)
    reference = NativeForeteller(backbone, superres, LAYOUT)
    coarse = written(NativeBackbone(backbone, LAYOUT), [0], frames)[0]
    room = len(PROMPT) + COARSE_LAYERS * frames + 1
    gpt = MegatronGpt(there[0], room=room)
    return [
        *check_logits(
            reference,
            MegatronForeteller(*there, LAYOUT, room=room),
            torch.from_numpy(coarse.values.T.astype(np.int64)),
        ),
        check_cache(reference, MegatronBackbone(gpt, LAYOUT, lambda word: word), frames),
    ]


if __name__ == "__main__":
    main()
