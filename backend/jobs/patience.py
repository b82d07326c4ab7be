"""Changes of the job store that must not get lost: asked again until the database takes them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import OperationalError

logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

_RETRY_SECONDS = 1.0


async def persist(change: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Make a change in a thread; a database that is locked, full or away is asked again until it takes it."""
    while True:
        try:
            return await asyncio.to_thread(change, *args, **kwargs)
        except OperationalError:  # noqa: PERF203
            logger.exception("the job store did not take a change; trying again")
            await asyncio.sleep(_RETRY_SECONDS)
