"""Rows of a step are the same in whatever company, also where MKL takes the paths of lesser processors."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_SCRIPT = """
import torch
from models.transformer.linear import by_columns, linear

for threads in (1, 2):
    torch.set_num_threads(threads)
    for size in ((768, 256), (1025, 256), (2048, 704), (33, 7)):
        torch.manual_seed(0)
        weight, bias = by_columns(torch.randn(size)), torch.randn(size[0])
        rows = torch.randn(16, 1, size[1])
        with torch.inference_mode():
            alone = torch.cat([linear(row[None], weight, bias) for row in rows])
            assert torch.allclose(alone[:, 0], rows[:, 0] @ weight.T + bias, atol=1e-3), size
            for first, last in ((0, 2), (1, 4), (3, 8), (0, 16)):
                together = linear(rows[first:last], weight, bias)
                assert torch.equal(together, alone[first:last]), (threads, size, last - first)
"""


@pytest.mark.parametrize("instructions", ["", "AVX2", "SSE4_2"], ids=["this processor's", "AVX2", "SSE4_2"])
def test_a_row_is_the_same_in_whatever_company(instructions: str) -> None:
    environment = os.environ | ({"MKL_ENABLE_INSTRUCTIONS": instructions} if instructions else {})
    done = subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
