"""Tensor parallelism over processes: rank 0 serves, the others repeat its calls on their shares of the weights.

Rank 0 announces each call with its arguments; then all ranks run it in step, because every layer of the model waits
for all of them. A rank that dies ends the call on the others with an error.
"""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import torch

from core.errors import EngineLost, GenerationError
from models.megatron.process_group import process_group

ResultT = TypeVar("ResultT")

logger = logging.getLogger(__name__)

_STOP = "stop"
_ASKED_TO_LEAVE_SECONDS = 10


class Ranks:
    """All ranks of one engine, seen from rank 0."""

    def __init__(self, ranks: int, follow: Callable[[int, int, Path], None]) -> None:
        """Starts the other ranks; each runs ``follow(rank, ranks, store)`` in a process of its own."""
        self._open = ExitStack()
        store = Path(self._open.enter_context(tempfile.TemporaryDirectory())) / "store"
        context = multiprocessing.get_context("spawn")
        self._others: list[BaseProcess] = [
            context.Process(target=follow, args=(rank, ranks, store), daemon=True) for rank in range(1, ranks)
        ]
        for process in self._others:
            process.start()
        self._open.enter_context(process_group(store, ranks=ranks))

    def run(self, call: str, argument: Any, here: Callable[[], ResultT]) -> ResultT:
        """Have all ranks make a call, this one by ``here``; EngineLost when one of them is no more."""
        if not self._others:
            return here()
        try:
            torch.distributed.broadcast_object_list([call, argument], src=0)
            return here()
        except RuntimeError as error:
            if all(process.is_alive() for process in self._others):
                raise
            raise EngineLost("A process that shares the model has ended.") from error

    def agree(self, word: bool) -> bool:
        """Rank 0's word, told to the others."""
        return agree(word) if self._others else word

    def close(self) -> None:
        """Let the other ranks go, by force if need be, and leave the process group."""
        try:
            if self._others:
                torch.distributed.broadcast_object_list([_STOP, None], src=0)
        except RuntimeError:
            logger.warning("a rank had ended before it was let go")
        finally:
            self._open.close()
            for process in self._others:
                process.join(_ASKED_TO_LEAVE_SECONDS)
                process.kill()
                process.join()


def agree(word: bool) -> bool:
    """What rank 0 says, whoever calls; all ranks must."""
    said = torch.tensor([word])
    torch.distributed.broadcast(said, src=0)
    return bool(said.item())


def obey(calls: dict[str, Callable[[Any], None]]) -> None:
    """Run what rank 0 announces, until it says stop."""
    while True:
        announced: list[Any] = [None, None]
        torch.distributed.broadcast_object_list(announced, src=0)
        if announced[0] == _STOP:
            return
        try:
            calls[announced[0]](announced[1])
        except GenerationError:
            continue  # rank 0 tells why
