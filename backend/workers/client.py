"""Calls to one worker's HTTP server. Whatever goes wrong on the way is one thing to the caller: the worker is lost."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence

import httpx
from pydantic import ValidationError

from backend.workers.messages import STREAMED, CancelOrder, Event, GenerateTask, Health, HeartbeatEvent
from core.errors import KhalaError

logger = logging.getLogger(__name__)

_HEALTH_TIMEOUT_SECONDS = 5.0


class WorkerLost(KhalaError):
    """The worker is gone, what it says makes no sense, or it hangs."""

    def __init__(self, message: str, *, hung: bool = False) -> None:
        super().__init__(message)
        self.hung = hung


class WorkerClient:
    """One worker, over HTTP. ``silence_seconds`` is how long a busy worker may say nothing."""

    def __init__(self, http: httpx.AsyncClient, url: str, *, silence_seconds: float, token: str | None = None) -> None:
        self.url = url
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._silence = httpx.Timeout(_HEALTH_TIMEOUT_SECONDS, read=silence_seconds)

    async def health(self) -> Health:
        """How the worker is; WorkerLost when it does not say."""
        try:
            answer = await self._http.get(f"{self.url}/health", headers=self._headers, timeout=_HEALTH_TIMEOUT_SECONDS)
            answer.raise_for_status()
            return Health.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise WorkerLost(f"it did not answer: {error!r}") from error

    async def cancel(self, job_id: str, tracks: Sequence[int]) -> None:
        """Ask for an end of these tracks; whether it heard is seen by the events that follow."""
        order = CancelOrder(job_id=job_id, tracks=tuple(tracks))
        try:
            await self._http.post(f"{self.url}/cancel", json=order.model_dump(), headers=self._headers)
        except httpx.HTTPError as error:
            logger.warning("%s could not be asked to cancel: %r", self.url, error)

    async def generate(self, task: GenerateTask) -> AsyncGenerator[Event, None]:
        """Make songs; events as they come, until each track has ended or WorkerLost."""
        try:
            async with self._http.stream(
                "POST",
                f"{self.url}/generate",
                content=task.model_dump_json(),
                headers={**self._headers, "Content-Type": "application/json"},
                timeout=self._silence,
            ) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise WorkerLost(f"it answered {answer.status_code} instead of starting")
                async for line in answer.aiter_lines():
                    event = STREAMED.validate_json(line)
                    # A heartbeat has done its work by arriving: it ended a silence.
                    if not isinstance(event, HeartbeatEvent):
                        yield event
        except httpx.ReadTimeout as error:
            raise WorkerLost("it gave no sign of life", hung=True) from error
        except (httpx.HTTPError, ValidationError) as error:
            raise WorkerLost(f"its stream of events broke: {error!r}") from error
