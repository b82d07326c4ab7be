"""The API does what its OpenAPI document says, whatever is sent: no 5xx, no answer that the document does not know.

schemathesis makes up the requests; ``KHALA_API_EXAMPLES`` sets how many a call.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backend.settings import PROJECT_ROOT
from tests.backend.studio import served, studio
from tests.fakes.engine import FakeEngine

EXAMPLES = int(os.environ.get("KHALA_API_EXAMPLES", "10"))
JOB_IDS = ("done", "cancelled")
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)

schema = schemathesis.openapi.from_path(str(PROJECT_ROOT / "openapi.json"))


class LiveApi:
    """A real server in a thread of its own, with jobs that are done and cancelled ones."""

    def __init__(self, folder: Path) -> None:
        self.url = ""
        self.ids: dict[str, str] = {}
        self._folder = folder
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(60), "the API did not start"

    def stop(self) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(60)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with studio(self._folder, FakeEngine()) as running, served(running.backend.app) as self.url:
            await running.until_idle()
            self.ids["done"] = (await running.finished(await running.submit(num_tracks=1)))["job_id"]
            self.ids["cancelled"] = await running.submit(num_tracks=1)
            await running.api.delete(f"/job/{self.ids['cancelled']}")
            await running.finished(self.ids["cancelled"])
            self._ready.set()
            await self._stop.wait()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    api = LiveApi(tmp_path_factory.mktemp("api"))
    api.start()
    yield api
    api.stop()


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_call_does_what_the_document_says(case: schemathesis.Case[Any], live: LiveApi) -> None:
    parameters = dict(case.path_parameters or {})
    if "job_id" in parameters:
        # Most of what is made up is no job at all; a job that is there gets further.
        parameters["job_id"] = live.ids[JOB_IDS[len(str(parameters["job_id"])) % 2]]
        case.path_parameters = parameters
    case.call_and_validate(base_url=live.url, checks=list(CHECKS), timeout=20)
