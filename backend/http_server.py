"""A uvicorn server that listens before anything else starts and leaves in order."""

from __future__ import annotations

import signal
import socket

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


def http_server(app: FastAPI, *, grace_seconds: int) -> uvicorn.Server:
    """A server that waits ``grace_seconds`` for open requests when it is asked to stop."""
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=grace_seconds)
    )
    for asked_to_stop in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal once more after its own shutdown; ours must survive that to stop what is left.
        signal.signal(asked_to_stop, server.handle_exit)
    return server
