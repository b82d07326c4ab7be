"""Say how a running system is; with --wait, follow it until every worker is ready."""

from __future__ import annotations

import argparse
import sys
import time

import httpx
from pydantic import ValidationError

from backend.api.schemas import StatusAnswer
from backend.settings import ServerSettings
from core.errors import KhalaError
from core.progress import Phase

_POLL_SECONDS = 0.3
_TIMEOUT_SECONDS = 5.0


class NotReady(KhalaError):
    """The system does not answer, or cannot make songs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait until it is ready")


def run(options: argparse.Namespace) -> int:
    server = ServerSettings()
    # Who listens everywhere also listens here.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
    url = f"http://[{host}]:{server.api_port}/status" if ":" in host else f"http://{host}:{server.api_port}/status"
    deadline = time.monotonic() + options.wait
    told: dict[str, str] = {}
    while True:
        answer = _ask(url)
        lines, ready = _tell(answer) if answer else ({"dispatcher": "does not answer yet"}, False)
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
    return 0 if answer else 1


def _ask(url: str) -> StatusAnswer | None:
    """The dispatcher's answer, None while there is none; NotReady when another program gives it."""
    try:
        answer = httpx.get(url, timeout=_TIMEOUT_SECONDS, trust_env=False).raise_for_status()
        return StatusAnswer.model_validate_json(answer.content)
    except httpx.HTTPError:
        return None
    except ValidationError as error:
        raise NotReady(
            f"{url} is answered by another program. Stop it, or choose another port with API_PORT."
        ) from error


def _tell(answer: StatusAnswer) -> tuple[dict[str, str], bool]:
    """What to say of the dispatcher and each worker, and whether all are up."""
    lines = {"dispatcher": f"answers, {answer.active_jobs} jobs active, {answer.queued_jobs} queued"}
    for worker in answer.workers:
        if worker.error:
            raise NotReady(f"Worker {worker.worker_id} cannot work: {worker.error}")
        phase = "" if worker.phase is Phase.IDLE else f" ({worker.phase.value})"
        lines[f"worker {worker.worker_id} on {worker.gpu_id}"] = f"{worker.status.value}{phase}"
    if answer.untrained:
        lines["model"] = "untrained: random weights, so songs are noise; put a checkpoint into checkpoints/"
    return lines, bool(answer.workers) and all(worker.loaded for worker in answer.workers)
