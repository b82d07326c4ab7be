"""How functions are compiled: without the interpreter's lock, and kept on disk, so that only the first start waits."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, InTreeCacheLocator, UserWideCacheLocator
from numba.extending import intrinsic

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Sums may be split among the lanes of a vector register. What is not a number stays none: it has to be noticed.
_FAST_MATH = {"reassoc", "contract", "nsz", "arcp"}

_SOURCES = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))).digest()

logger = logging.getLogger(__name__)


def kernel(function: _Function) -> _Function:
    """The function as machine code, compiled when it is first called with arguments of some types."""
    compiled: Any = numba.njit(fastmath=_FAST_MATH, error_model="numpy", nogil=True)(function)
    with suppress(RuntimeError):  # there is no place to keep anything in
        compiled._cache = _KeptCode(function)  # type: ignore[no-untyped-call]
    return cast(_Function, compiled)


def instructions(typed: Callable[..., Any]) -> Callable[..., Any]:
    """A function for kernels that is written in LLVM's instructions (``numba.extending.intrinsic``)."""
    return cast(Callable[..., Any], intrinsic(typed))


class _OfAllSources:
    """Numba would compile again when a function's own file has changed, but not for those that it calls."""

    def get_source_stamp(self) -> bytes:
        return _SOURCES


class _BesideSources(_OfAllSources, InTreeCacheLocator):
    pass


class _UsersCache(_OfAllSources, UserWideCacheLocator):
    pass


class _Places(CompileResultCacheImpl):
    _locator_classes = (_BesideSources, _UsersCache)  # type: ignore[assignment]


class _KeptCode(FunctionCache):
    """What cannot be read, as after a power cut, or written, on a full disk, is compiled: no song fails of it."""

    _impl_class = _Places

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:  # whatever a half-written pickle raises
            logger.warning("machine code in %s cannot be read (%r) and is compiled anew", self.cache_path, error)
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except OSError as error:
            logger.warning("machine code is not kept: %s", error)
