"""POST /generate."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.collaborators import Studio
from backend.api.schemas import ErrorAnswer, GenerateAnswer, GenerateBody

router = APIRouter(tags=["jobs"])


@router.post(
    "/generate",
    summary="Ask for a song",
    responses={
        400: {"model": ErrorAnswer, "description": "The body cannot be read"},
        413: {"model": ErrorAnswer, "description": "The body is too large"},
        422: {"model": ErrorAnswer, "description": "A field is wrong; nothing was created"},
    },
)
async def generate(body: GenerateBody, studio: Studio) -> GenerateAnswer:
    """Create a job with one to four tracks: the same request, different seeds. Poll ``/job/{job_id}`` for its state."""
    request, warnings = body.to_request()
    placed = await studio.service.submit(request, num_tracks=body.num_tracks, seed=body.seed, warnings=warnings)
    # 0: a worker has begun already, maybe the last idle one.
    at_once = placed.queue_position == 0 or (placed.queue_position == 1 and bool(studio.pool.idle()))
    return GenerateAnswer(
        status="accepted" if at_once else "queued",
        job_id=placed.job.job_id,
        num_tracks=len(placed.job.tracks),
        queue_position=0 if at_once else placed.queue_position,
        warnings=warnings,
    )
