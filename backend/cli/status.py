"""Say how a running system is; with --wait, follow it until every worker is ready."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import httpx

from backend.settings import ServerSettings
from core.errors import KhalaError

_POLL_SECONDS = 0.3
_TIMEOUT_SECONDS = 5.0


class NotReady(KhalaError):
    """The system does not answer, or cannot make songs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait until it is ready")


def run(options: argparse.Namespace) -> int:
    server = ServerSettings()
    host = "127.0.0.1" if server.host in ("0.0.0.0", "::") else server.host
    deadline = time.monotonic() + options.wait
    told: dict[str, str] = {}
    while True:
        lines, ready = _look(f"http://{host}:{server.api_port}/status")
        for who, state in lines.items():
            if told.get(who) != state:
                sys.stdout.write(f"  {who}: {state}\n")
                sys.stdout.flush()
        told |= lines
        if ready or time.monotonic() >= deadline:
            break
        time.sleep(_POLL_SECONDS)
    if not ready and options.wait:
        raise NotReady(f"The system is not ready after {options.wait:g} seconds.")
    return 0


def _look(url: str) -> tuple[dict[str, str], bool]:
    """What to say of the dispatcher and each worker, and whether all are up."""
    try:
        answer: dict[str, Any] = httpx.get(url, timeout=_TIMEOUT_SECONDS, trust_env=False).raise_for_status().json()
    except httpx.HTTPError:
        return {"dispatcher": "does not answer yet"}, False
    lines = {"dispatcher": f"answers, {answer['active_jobs']} jobs active, {answer['queued_jobs']} queued"}
    for worker in answer["workers"]:
        if worker["error"]:
            raise NotReady(f"Worker {worker['worker_id']} cannot work: {worker['error']}")
        phase = "" if worker["phase"] == "idle" else f" ({worker['phase']})"
        lines[f"worker {worker['worker_id']} on {worker['gpu_id']}"] = f"{worker['status']}{phase}"
    if answer["untrained"]:
        lines["model"] = "untrained: random weights, so songs are noise; put a checkpoint into checkpoints/"
    return lines, bool(answer["workers"]) and all(worker["loaded"] for worker in answer["workers"])
