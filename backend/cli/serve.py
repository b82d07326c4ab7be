"""Run the dispatcher: the HTTP API, the job queue, and one worker process a device."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os

from backend.bootstrap import build_backend
from backend.cli.chosen_settings import add_runtime_mode, settings_from
from backend.http_server import bind, http_server
from backend.logs import configure_logging
from backend.workers.devices import (
    GpuId,
    has_nvidia_gpu,
    parse_gpus,
    refuse_one_gpu_for_all,
    shared_out,
    usable_devices,
    visible_gpus,
)

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gpus", default="0", help="GPU numbers, as in 0 or 0,1; or cpu. Without a GPU, always cpu.")
    add_runtime_mode(parser)


def run(options: argparse.Namespace) -> int:
    settings = settings_from(options)
    wanted = parse_gpus(options.gpus)
    refuse_one_gpu_for_all(settings.models.device)
    together, listed = settings.models.gpus_per_worker, os.environ.get("CUDA_VISIBLE_DEVICES")
    # Asking the driver can take seconds: only where there is a way in which the numbers can be wrong.
    if (together > 1 or listed is not None) and has_nvidia_gpu():
        shared_out(wanted, together)
        visible_gpus(wanted, listed)
    configure_logging(settings.paths.logs_dir / "api.log", log_format=settings.server.log_format)
    # Bound first: a second dispatcher must end here, before it touches a job or starts a worker.
    listening = bind(settings.server.host, settings.server.api_port)
    backend = build_backend(settings)
    server = http_server(backend.app, grace_seconds=_GRACE_SECONDS, before_stop=backend.drain)

    def find_devices() -> list[GpuId]:
        found = usable_devices(wanted)
        logger.info("wanted devices %s, working with %s", wanted, found)
        return found

    async def serve() -> None:
        async with backend.running(find_devices):
            await server.serve(sockets=[listening])

    asyncio.run(serve())
    return 0
