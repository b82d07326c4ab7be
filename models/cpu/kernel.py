"""How functions are compiled: without the interpreter's lock, and kept on disk, so that only the first start waits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.extending import intrinsic

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Sums may be split among the lanes of a vector register. What is not a number stays none: it has to be noticed.
_FAST_MATH = {"reassoc", "contract", "nsz", "arcp"}


def kernel(function: _Function) -> _Function:
    """The function as machine code, compiled when it is first called with arguments of some types."""
    compiled = numba.njit(fastmath=_FAST_MATH, error_model="numpy", nogil=True, cache=_IS_KEPT)(function)
    return cast(_Function, compiled)


def instructions(typed: Callable[..., Any]) -> Callable[..., Any]:
    """A function for kernels that is written in LLVM's instructions (``numba.extending.intrinsic``)."""
    return cast(Callable[..., Any], intrinsic(typed))


def _keep() -> bool:
    """Whether there is a place to keep machine code in: beside the sources, else among the user's caches.

    Numba would compile again when a function's own file has changed, but not for those that it calls; so each state of
    all the sources has a folder of its own.
    """
    sources = b"".join(source.read_bytes() for source in sorted(Path(__file__).parent.glob("*.py")))
    state = hashlib.sha256(sources).hexdigest()[:16]
    for place in (Path(__file__).parent / "__pycache__", Path("~/.cache/khala").expanduser()):
        folder = place / state
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
            return True
    return False


_IS_KEPT = _keep()
