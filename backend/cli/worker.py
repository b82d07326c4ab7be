"""Run one worker: an HTTP server on the loopback interface that makes songs on one device."""

from __future__ import annotations

import argparse
import asyncio

from backend.cli.chosen_settings import add_runtime_mode, settings_from
from backend.http_server import bind, http_server
from backend.logs import configure_logging
from backend.workers.bootstrap import build_worker
from backend.workers.devices import parse_gpu
from backend.workers.lifeline import hold_lifeline

_GRACE_SECONDS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--worker-id", type=int, default=0)
    parser.add_argument("--gpu", default="cpu", help="a GPU number, or cpu")
    parser.add_argument("--port", type=int, default=8001)
    add_runtime_mode(parser)
    parser.add_argument("--lifeline", action="store_true", help="end when standard input closes")


def run(options: argparse.Namespace) -> int:
    configure_logging()
    if options.lifeline:
        hold_lifeline()
    gpu_id = parse_gpu(options.gpu)
    listening = bind("127.0.0.1", options.port)
    app = build_worker(settings_from(options), worker_id=options.worker_id, gpu_id=gpu_id)
    asyncio.run(http_server(app, grace_seconds=_GRACE_SECONDS).serve(sockets=[listening]))
    return 0
