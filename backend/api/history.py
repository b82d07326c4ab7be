"""GET /jobs: everything that was ever asked for, page by page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from backend.api.collaborators import Studio
from backend.api.job_schemas import JobAnswer, JobsAnswer
from backend.api.schemas import ErrorAnswer, Text
from backend.jobs.store import JobFilter
from core.errors import InvalidRequest
from core.job import JobStatus
from core.request import MAX_PROMPT_CHARACTERS

router = APIRouter(tags=["jobs"])


@router.get("/jobs", summary="All jobs", responses={422: {"model": ErrorAnswer, "description": "A parameter is wrong"}})
async def jobs(
    studio: Studio,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(description="``next_cursor`` of the page before.")] = None,
    status: Annotated[list[JobStatus] | None, Query(description="Only jobs in this state; may be repeated.")] = None,
    text: Annotated[
        Text,
        Query(
            max_length=MAX_PROMPT_CHARACTERS,
            description="Only jobs with this in title, prompt, tags, lyrics or notes, in small or capital letters.",
        ),
    ] = "",
    favourite: Annotated[bool | None, Query(description="Only favourites, or only others.")] = None,
) -> JobsAnswer:
    """Jobs of all states, newest first."""
    wanted = JobFilter(statuses=frozenset(status or ()), text=text.strip(), favourite=favourite)
    page = await studio.service.page(wanted, limit=limit, before=_read(cursor))
    return JobsAnswer(
        jobs=[JobAnswer.of(placed) for placed in page.jobs],
        next_cursor=None if page.next_before is None else _cursor(page.next_before),
        total=page.total,
    )


def _cursor(before: int) -> str:
    return f"j{before:x}"


def _read(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        before = int(cursor.removeprefix("j"), 16)
    except ValueError:
        before = -1
    if before < 0 or _cursor(before) != cursor or before.bit_length() > 31:
        raise InvalidRequest("cursor", "must be the next_cursor of a page, unchanged")
    return before
