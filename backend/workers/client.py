"""Calls to one worker's HTTP server. Whatever goes wrong on the way is one thing to the caller: the worker is lost."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx
from pydantic import ValidationError

from backend.workers.messages import STREAMED, Event, GenerateTask, Health, HeartbeatEvent
from core.errors import KhalaError

_HEALTH_TIMEOUT_SECONDS = 5.0


class WorkerLost(KhalaError):
    """The worker is gone, or what it says makes no sense."""


class WorkerClient:
    """One worker, over HTTP. ``silence_seconds`` is how long a busy worker may say nothing."""

    def __init__(self, http: httpx.AsyncClient, url: str, *, silence_seconds: float) -> None:
        self.url = url
        self._http = http
        self._silence = httpx.Timeout(_HEALTH_TIMEOUT_SECONDS, read=silence_seconds)

    async def health(self) -> Health:
        """How the worker is; WorkerLost when it does not say."""
        try:
            answer = await self._http.get(f"{self.url}/health", timeout=_HEALTH_TIMEOUT_SECONDS)
            answer.raise_for_status()
            return Health.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise WorkerLost(f"it did not answer: {error!r}") from error

    async def generate(self, task: GenerateTask) -> AsyncGenerator[Event, None]:
        """Make songs; events as they come, until each track has ended or WorkerLost."""
        try:
            async with self._http.stream(
                "POST",
                f"{self.url}/generate",
                content=task.model_dump_json(),
                headers={"Content-Type": "application/json"},
                timeout=self._silence,
            ) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise WorkerLost(f"it answered {answer.status_code} instead of starting")
                async for line in answer.aiter_lines():
                    event = STREAMED.validate_json(line)
                    # A heartbeat has done its work by arriving: it ended a silence.
                    if not isinstance(event, HeartbeatEvent):
                        yield event
        except (httpx.HTTPError, ValidationError) as error:
            raise WorkerLost(f"its stream of events broke: {error!r}") from error
