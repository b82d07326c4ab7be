"""POST /generate."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header

from backend.api.client import Client
from backend.api.collaborators import Studio
from backend.api.schemas import BODY_ERRORS, ErrorAnswer, GenerateAnswer, GenerateBody
from backend.jobs.service import NewJob

router = APIRouter(tags=["jobs"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=128,
        description="The same request with the same key, sent again, answers for the first job and makes no second.",
    ),
]


@router.post(
    "/generate",
    summary="Ask for a song",
    responses={
        **BODY_ERRORS,
        409: {"model": ErrorAnswer, "description": "The Idempotency-Key came with another request before"},
        429: {"model": ErrorAnswer, "description": "Too many jobs wait; Retry-After says when to ask again"},
        507: {"model": ErrorAnswer, "description": "The disk is nearly full"},
    },
)
async def generate(
    body: GenerateBody, studio: Studio, client: Client, idempotency_key: IdempotencyKey = None
) -> GenerateAnswer:
    """Create a job with one to four tracks: the same request, different seeds. Poll ``/job/{job_id}`` for its state."""
    request, warnings = body.to_request()
    new = NewJob(
        request=request,
        num_tracks=body.num_tracks,
        seed=body.seed,
        title=body.title,
        warnings=warnings,
        client=client,
    )
    placed = await studio.service.submit(new, idempotency_key=idempotency_key)
    # 0: a worker has begun already, maybe the last idle one.
    at_once = placed.queue_position == 0 or (placed.queue_position == 1 and bool(studio.pool.idle()))
    return GenerateAnswer(
        status="accepted" if at_once else "queued",
        job_id=placed.job.job_id,
        num_tracks=len(placed.job.tracks),
        queue_position=0 if at_once else placed.queue_position,
        warnings=list(placed.job.warnings),
        starts_in_seconds=placed.outlook.starts_in_seconds,
        finishes_in_seconds=placed.outlook.finishes_in_seconds,
    )
