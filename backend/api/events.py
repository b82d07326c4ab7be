"""GET /job/{job_id}/events: a job as a stream of Server-Sent Events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from backend.api.collaborators import Studio
from backend.api.job_schemas import JobAnswer
from backend.api.jobs import ExistingJob, JobId
from backend.jobs.board import PlacedJob

router = APIRouter(tags=["jobs"])

_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
"""Written out, because the framework would say that an error, too, is a stream."""
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"description": "There is no such job", "content": _ERROR},
    422: {"description": "The call is wrong", "content": _ERROR},
}

_SHORTEST_SECONDS = 0.25
"""At most four messages a second."""
_LONGEST_SECONDS = 2.0
"""A place in the queue can change without any news of this job; so often it is looked at all the same."""
_TELLING_SECONDS = 10.0
"""An estimate of the start is told again when it has moved by about so much."""


@router.get("/job/{job_id}/events", response_class=EventSourceResponse, summary="Follow a job", responses=_ERRORS)
async def events(
    job_id: JobId, first: ExistingJob, studio: Studio, last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterator[ServerSentEvent]:
    """Messages named ``job``, whose data is what ``GET /job/{job_id}`` answers: one at once, then one for every change
    of the job or of its prospects, at most four a second. A ``Last-Event-ID`` leaves out what was seen already. The
    stream ends when the job has.
    """
    seen = last_event_id if last_event_id == str(first.job.version) else None
    told = _prospects(first) if seen else None
    placed: PlacedJob | None = first
    with studio.service.feed.listening(job_id) as news:
        while placed and not studio.service.feed.closed:
            if (str(placed.job.version), _prospects(placed)) != (seen, told):
                seen, told = str(placed.job.version), _prospects(placed)
                yield ServerSentEvent(id=seen, event="job", raw_data=JobAnswer.of(placed).model_dump_json())
            if placed.job.status.is_final:
                return
            await asyncio.sleep(_SHORTEST_SECONDS)
            with anyio.move_on_after(_LONGEST_SECONDS):
                await news.wait()
            news.clear()
            placed = await studio.service.find(job_id, with_all_news=True)


def _prospects(placed: PlacedJob) -> tuple[int, int | None, str | None]:
    """What changes of a waiting job though nothing is done to it: its place, about when it starts, why it does not."""
    starts = placed.outlook.starts_in_seconds
    return placed.queue_position, None if starts is None else round(starts / _TELLING_SECONDS), placed.outlook.failure
