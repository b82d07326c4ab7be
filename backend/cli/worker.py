"""Run one worker: an HTTP server that makes songs on one device, on the loopback interface unless told otherwise."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os

from backend.cli.chosen_settings import add_runtime_mode, settings_from
from backend.http_server import bind, http_server
from backend.logs import configure_logging
from backend.settings import SettingUnusable
from backend.workers.bootstrap import build_worker
from backend.workers.devices import parse_gpu
from backend.workers.lifeline import hold_lifeline

_GRACE_SECONDS = 1
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--worker-id", type=int, default=0)
    parser.add_argument("--gpu", default="cpu", help="a GPU number, or cpu")
    parser.add_argument("--port", type=int, default=8001)
    add_runtime_mode(parser)
    parser.add_argument("--lifeline", action="store_true", help="end when standard input closes")


def run(options: argparse.Namespace) -> int:
    settings = settings_from(options)
    server = settings.server
    if not server.worker_token and server.worker_host not in _LOOPBACK:
        raise SettingUnusable(
            f"KHALA_WORKER_HOST={server.worker_host} lets other machines call the worker; set KHALA_WORKER_TOKEN too, "
            "to the same value here and for the dispatcher."
        )
    configure_logging(log_format=server.log_format)
    if options.lifeline:
        hold_lifeline()
    gpu_id = parse_gpu(options.gpu)
    listening = bind(server.worker_host, options.port)
    app = build_worker(settings, worker_id=options.worker_id, gpu_id=gpu_id)
    asyncio.run(http_server(app, grace_seconds=_GRACE_SECONDS).serve(sockets=[listening]))
    # Everything is closed by now. Taking torch apart would cost seconds that whoever stops the system waits for.
    logging.shutdown()
    os._exit(0)
