"""What the kernels are made of: a small product that keeps its sums in registers, and an exponential in float32."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types

from models.cpu.kernel import instructions, kernel

Floats: TypeAlias = npt.NDArray[np.float32]
Weights: TypeAlias = npt.NDArray[Any]
"""Numbers that ``widen`` reads: float32, half precision as int16, bfloat16 as uint16, or int8."""

_Sums: TypeAlias = tuple[np.float32, np.float32, np.float32, np.float32]

LEFT, RIGHT = 2, 4
"""Rows of a tile's factors: as many sums as registers hold, and as many streams as memory is read fastest in."""


@instructions
def widen(typing: Any, number: Any) -> Any:
    """The float32 number that is stored in fewer bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (bits,) = arguments
        if number == types.int16:
            return builder.fpext(builder.bitcast(bits, ir.HalfType()), ir.FloatType())
        if number == types.uint16:
            high = builder.shl(builder.zext(bits, ir.IntType(32)), ir.Constant(ir.IntType(32), 16))
            return builder.bitcast(high, ir.FloatType())
        return builder.sitofp(bits, ir.FloatType()) if number == types.int8 else bits

    return types.float32(number), generate


@kernel
def tile(x0: Floats, x1: Floats, w0: Weights, w1: Weights, w2: Weights, w3: Weights) -> tuple[_Sums, _Sums]:
    """The products of two rows with four."""
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = np.float32(0)
    for i in range(len(x0)):
        x, y = x0[i], x1[i]
        w = widen(w0[i])
        a0 += x * w
        b0 += y * w
        w = widen(w1[i])
        a1 += x * w
        b1 += y * w
        w = widen(w2[i])
        a2 += x * w
        b2 += y * w
        w = widen(w3[i])
        a3 += x * w
        b3 += y * w
    return (a0, a1, a2, a3), (b0, b1, b2, b3)


@kernel
def quarters(first: int, quarter: int, last: int) -> tuple[int, int, int, int]:
    """The ``first`` row of four quarters of some rows and its counterparts, none behind the ``last`` row."""
    return first, min(first + quarter, last), min(first + 2 * quarter, last), min(first + 3 * quarter, last)


@kernel
def exponential(x: np.float32) -> np.float32:
    """e to the power of x ≤ 0 within 2 units in the last place: 2ⁿ times a polynomial (Cephes, expf).

    The library's own would be called once a number; this is computed for a whole vector register.
    """
    x = max(x, np.float32(-87.0))
    n = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    r = x - n * np.float32(0.693359375) + n * np.float32(2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    power: np.float32 = (p * r * r + r + np.float32(1)) * _power_of_two(n)
    return power


@instructions
def _power_of_two(typing: Any, number: Any) -> Any:
    """2 to the power of a whole number ≥ -126, by writing it into the exponent."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        integer, bits = ir.IntType(32), 23
        biased = builder.add(builder.fptosi(arguments[0], integer), ir.Constant(integer, 127))
        return builder.bitcast(builder.shl(biased, ir.Constant(integer, bits)), ir.FloatType())

    return types.float32(types.float32), generate
