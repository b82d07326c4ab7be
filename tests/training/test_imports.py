from __future__ import annotations

import subprocess
import sys

_ALLOWED = ("numpy", "torch", "core", "models", "training")

_SCRIPT = f"""
import sys
import numpy, torch, torch.distributed.checkpoint, sympy  # sympy comes with PyTorch
there = set(sys.modules)
import training.demo, training.listen
new = {{name.split(".")[0] for name in set(sys.modules) - there}}
print(sorted(new - set(sys.stdlib_module_names) - set({_ALLOWED!r})))
"""


def test_training_needs_nothing_but_numpy_and_pytorch() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
