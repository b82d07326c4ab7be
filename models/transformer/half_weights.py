"""Float32 products of a few rows with weights that are read as half precision: half the memory, and half the time.

A decode step is spent on reading weights. Checkpoints store them in 16 bits, so nearly all of those that were widened
to float32 are half-precision numbers still, and FBGEMM multiplies such ones with float32 rows, adding up in float32.
"""

from __future__ import annotations

import functools

import torch

_LEAST_HALF = 2.0**-24
"""What is smaller is rounded to it or to nothing; beside float32's own rounding of a sum that cannot be seen."""
_MOST_ROWS = 16
"""Of one product at most; more are cut up."""
_COPIES = 4
"""Rows of a product by a kernel that is as good as any."""


class HalfWeights:
    """A matrix [out, in] and its bias in FBGEMM's order."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        self._packed = torch.ops.quantized.linear_prepack_fp16(weight.detach(), None if bias is None else bias.detach())
        self.nbytes = 2 * weight.numel()

    @staticmethod
    def can_hold(weight: torch.Tensor) -> bool:
        """Whether this is a float32 matrix that loses nothing, and a processor that FBGEMM multiplies on."""
        if weight.device.type != "cpu" or weight.dtype != torch.float32 or not _fbgemm_multiplies():
            return False
        return bool(((weight - weight.half()).abs() <= _LEAST_HALF / 2).all())

    def product(self, x: torch.Tensor) -> torch.Tensor:
        """x [B, T, in] → [B, T, out]. A row of a single-token step does not depend on how many there are."""
        if x.dim() != 3 or x.shape[1] != 1:
            return self._product(x)
        rows, companies = len(x), _companies()
        if rows >= len(companies):
            return torch.cat([self.product(piece) for piece in torch.split(x, len(companies) - 1)])
        company = companies[rows]
        return self._product(x) if company is None else self._product(x.index_select(0, company))[:rows]

    def _product(self, x: torch.Tensor) -> torch.Tensor:
        product: torch.Tensor = torch.ops.quantized.linear_dynamic_fp16.default(x, self._packed)
        return product


def _fbgemm_multiplies() -> bool:
    return torch.backends.quantized.engine in ("x86", "fbgemm") and hasattr(torch.ops.quantized, "linear_prepack_fp16")


@functools.cache
def _companies() -> list[torch.Tensor | None]:
    """For each number of rows, as far as one product takes them, which to multiply, the last one repeated; or none to
    repeat.

    FBGEMM has a kernel for each number of rows, and those for one or two add up in another order; which do depends on
    the processor, so it is looked at: once, in about a millisecond. What a row among its copies comes to is what it has
    to come to.
    """
    numbers = torch.Generator().manual_seed(0)
    weights = HalfWeights(torch.randn(64, 1536, generator=numbers).half().float())
    rows = torch.randn(_MOST_ROWS, 1, 1536, generator=numbers)
    expected = torch.cat([weights._product(row.expand(_COPIES, 1, -1))[:1] for row in rows])
    counts = range(1, _MOST_ROWS + 1)
    alike = [count for count in counts if torch.equal(weights._product(rows[:count]), expected[:count])]
    enough = [min(count for count in alike if count >= least) for least in range(max(alike) + 1)]
    return [None if more == rows else torch.arange(more).clamp_max(rows - 1) for rows, more in enumerate(enough)]
