from __future__ import annotations

import subprocess
import sys

_ALLOWED = ("numpy", "torch", "core", "models", "training")

_SCRIPT = f"""
import sys
import numpy, torch
there = set(sys.modules)
import training.codec, training.corpus.dataset, training.listen
new = {{name.split(".")[0] for name in set(sys.modules) - there}}
print(sorted(new - set(sys.stdlib_module_names) - set({_ALLOWED!r})))
"""


def test_corpus_and_codec_need_nothing_but_numpy_and_pytorch() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
