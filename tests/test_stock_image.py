"""Training and the GPU benchmarks run where there is nothing but Python, NumPy and PyTorch."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ALLOWED = ("numpy", "torch", "core", "models", "training", "benchmarks")
_BENCHMARKS = ("check_device", "decode", "superres", "end_to_end", "table")

_SCRIPT = """
import sys
import numpy, torch, torch.distributed.checkpoint, sympy  # sympy comes with PyTorch
there = set(sys.modules)
import {modules}
new = {{name.split(".")[0] for name in set(sys.modules) - there}}
print(sorted(new - set(sys.stdlib_module_names) - set({allowed!r})))
"""


@pytest.mark.parametrize(
    "modules",
    ["training.demo, training.listen", ", ".join(f"benchmarks.{name}" for name in _BENCHMARKS)],
    ids=["training", "benchmarks"],
)
def test_nothing_but_numpy_and_pytorch_is_imported(modules: str) -> None:
    script = _SCRIPT.format(modules=modules, allowed=_ALLOWED)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
