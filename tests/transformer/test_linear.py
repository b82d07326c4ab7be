"""Rows of a step are the same in whatever company, also where MKL and oneDNN take the paths of lesser processors."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_SCRIPT = """
import torch
from models.transformer.linear import linear, ordered_for_steps

full, short = torch.float32, torch.bfloat16
for threads in (1, 2):
    torch.set_num_threads(threads)
    for size in ((768, 256), (1025, 256), (2048, 704), (33, 7), (1024, 2816), (1025, 1024)):
        for stored, dtype in ((full, full), (short, full), (short, short)):
            torch.manual_seed(0)
            plain, bias = torch.randn(size).to(stored).to(dtype), torch.randn(size[0]).to(dtype)
            weight = ordered_for_steps(plain, bias)
            if dtype == short and not weight.is_mkldnn:
                continue  # nothing is promised for it
            rows = torch.randn(16, 1, size[1]).to(dtype)
            with torch.inference_mode():
                alone = torch.cat([linear(row[None], weight, bias) for row in rows])
                exact = (rows[:, 0].double() @ plain.double().T + bias.double()).float()
                bound = 8 if stored == dtype else 16  # FBGEMM adds one term after another
                assert (alone[:, 0].float() - exact).norm() < bound * torch.finfo(dtype).eps * exact.norm(), size
                for first, last in ((0, 2), (1, 4), (3, 8), (0, 16)):
                    together = linear(rows[first:last], weight, bias)
                    assert torch.equal(together, alone[first:last]), (threads, size, dtype, last - first)
"""


@pytest.mark.parametrize("instructions", ["", "AVX2", "SSE4_2"], ids=["this processor's", "AVX2", "SSE4_2"])
def test_a_row_is_the_same_in_whatever_company(instructions: str) -> None:
    lesser = {"MKL_ENABLE_INSTRUCTIONS": instructions, "ONEDNN_MAX_CPU_ISA": instructions.replace("4_2", "41")}
    environment = os.environ | (lesser if instructions else {})
    done = subprocess.run([sys.executable, "-c", _SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
