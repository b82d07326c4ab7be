"""A uvicorn server that listens before anything else starts and leaves in order."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from core.errors import KhalaError


class PortTaken(KhalaError):
    """Somebody else listens where we should."""


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on this address; PortTaken when there is none to be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        # Binding alone shuts nobody out: with SO_REUSEADDR two processes may do it, but only one of them may listen.
        bound.listen()
    except OSError as error:
        bound.close()
        raise PortTaken(
            f"Port {port} on {host} cannot be used ({error.strerror}). Stop the program that listens there, or choose "
            "another port with API_PORT or WORKER_BASE_PORT."
        ) from error
    return bound


def url_of(host: str, port: int) -> str:
    """Where a program on this machine reaches who listens there."""
    # Who listens everywhere also listens here.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """A server that has something to do before it stops; asked a second time, it stops at once."""

    def __init__(self, config: uvicorn.Config, before_stop: Callable[[], Awaitable[None]] | None) -> None:
        super().__init__(config)
        self._before_stop = before_stop
        self._stopping: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._before_stop is None or self._stopping:
            super().handle_exit(sig, frame)
        else:
            # A signal comes in the middle of anything; the loop does the rest when it can.
            self._loop.call_soon_threadsafe(self._begin_to_stop)

    def _begin_to_stop(self) -> None:
        self._stopping = self._stopping or self._loop.create_task(self._stop_in_order())

    async def _stop_in_order(self) -> None:
        try:
            if self._before_stop:
                await self._before_stop()
        finally:
            self.should_exit = True


def http_server(
    app: FastAPI, *, grace_seconds: int, before_stop: Callable[[], Awaitable[None]] | None = None
) -> uvicorn.Server:
    """A server that, asked to stop, does ``before_stop`` and then waits ``grace_seconds`` for open requests."""
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=grace_seconds)
    server = _Server(config, before_stop)
    for asked_to_stop in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal once more after its own shutdown; ours must survive that to stop what is left.
        signal.signal(asked_to_stop, server.handle_exit)
    return server
