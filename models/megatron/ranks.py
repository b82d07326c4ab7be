"""Tensor parallelism over processes: rank 0 serves, the others repeat its calls on their shares of the weights.

Rank 0 announces each call with its arguments; then all ranks run it in step, because every layer of the model waits
for all of them. Whatever only one of them meets ends them all: gloo says at once that a rank is gone; NCCL does not, so
there a call can hang until whoever waits for it, or NCCL's own half an hour, gives up.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import torch

from core.errors import DeviceOutOfMemory, EngineLost, GenerationError
from models.megatron.process_group import process_group

ResultT = TypeVar("ResultT")

logger = logging.getLogger(__name__)

_STOP = "stop"
_ASKED_TO_LEAVE_SECONDS = 10


class Ranks:
    """All ranks of one engine, seen from rank 0."""

    def __init__(self, ranks: int, device: torch.device, follow: Callable[[int, int, Path], None]) -> None:
        """Starts the others, each in a process that runs ``follow(rank, ranks, store)``; this one is on ``device``."""
        self._open = ExitStack()
        store = Path(self._open.enter_context(tempfile.TemporaryDirectory())) / "store"
        context = multiprocessing.get_context("spawn")
        self._others: list[BaseProcess] = [
            context.Process(target=follow, args=(rank, ranks, store), daemon=True) for rank in range(1, ranks)
        ]
        for process in self._others:
            process.start()
        self._open.enter_context(process_group(store, device, ranks=ranks))

    def run(self, call: str, argument: Any, here: Callable[[], ResultT]) -> ResultT:
        """Have all ranks make a call, this one by ``here``; EngineLost when they have parted."""
        if not self._others:
            return here()
        try:
            torch.distributed.broadcast_object_list([call, argument], src=0)
            return here()
        except (RuntimeError, DeviceOutOfMemory) as error:
            # Only errors that all ranks meet alike leave them in step.
            raise EngineLost(f"The processes that share the model have parted: {error}") from error

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


def end_with_rank_0() -> None:
    """End this process when the one that started it ends, even in the middle of a call."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


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
        except DeviceOutOfMemory:
            raise  # here alone: the others are in the middle of the call
        except GenerationError:
            continue  # rank 0 tells why
