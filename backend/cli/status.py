"""Say how a running system is; with --wait, follow it until every worker is ready."""

from __future__ import annotations

import argparse
import sys
import time

import httpx
from pydantic import ValidationError

from backend.api.schemas import ErrorAnswer, StatusAnswer
from backend.http_server import url_of
from backend.settings import HASHED, ServerSettings
from core.errors import KhalaError
from core.progress import Phase

_POLL_SECONDS = 0.3
_TIMEOUT_SECONDS = 5.0
_READY = "ready"


class NotReady(KhalaError):
    """The system does not answer, or cannot make songs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait until it is ready")


def run(options: argparse.Namespace) -> int:
    server = ServerSettings()
    url = url_of(server.host, server.api_port)
    deadline = time.monotonic() + options.wait
    told: dict[str, str] = {}
    while True:
        answer = _ask(url, server)
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


def _ask(url: str, server: ServerSettings) -> StatusAnswer | str | None:
    """The dispatcher's answer, None while there is none; NotReady when another program gives it.

    Where only the hash of the API key is known here: what anybody may know, a few words or "ready".
    """
    keys = [key for key in server.api_keys if not key.startswith(HASHED)]
    headers = {"X-API-Key": keys[0]} if keys else {}
    try:
        answer = httpx.get(f"{url}/status", headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            answer = httpx.get(f"{url}/readyz", timeout=_TIMEOUT_SECONDS, trust_env=False)
            return _READY if answer.is_success else ErrorAnswer.model_validate_json(answer.content).error
        return StatusAnswer.model_validate_json(answer.raise_for_status().content)
    except httpx.HTTPError:
        return None
    except ValidationError as error:
        raise NotReady(
            f"{url} is answered by another program. Stop it, or choose another port with API_PORT."
        ) from error


def _tell(answer: StatusAnswer | str) -> tuple[dict[str, str], bool]:
    """What to say of the dispatcher and each worker, and whether all are up."""
    if isinstance(answer, str):
        return {"dispatcher": answer}, answer == _READY
    lines = {"dispatcher": f"answers, {answer.active_jobs} jobs active, {answer.queued_jobs} queued"}
    if answer.held_up:
        lines["queue"] = answer.held_up
    for worker in answer.workers:
        if worker.error:
            raise NotReady(f"Worker {worker.worker_id} cannot work: {worker.error}")
        phase = "" if worker.phase is Phase.IDLE else f" ({worker.phase.value})"
        lines[f"worker {worker.worker_id} on {worker.gpu_id}"] = f"{worker.status.value}{phase}"
    if answer.untrained:
        lines["model"] = "untrained: random weights, so songs are noise; put a checkpoint into checkpoints/"
    return lines, bool(answer.workers) and all(worker.loaded for worker in answer.workers)
