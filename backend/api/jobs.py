"""GET /job/{job_id}."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from backend.api.collaborators import Collaborators, Studio
from backend.api.schemas import ErrorAnswer, JobAnswer
from backend.jobs.service import PlacedJob

router = APIRouter(tags=["jobs"])


@router.get(
    "/job/{job_id}",
    summary="The state of a job",
    responses={404: {"model": ErrorAnswer, "description": "There is no such job"}},
)
async def job(job_id: str, studio: Studio) -> JobAnswer:
    """A job with its tracks, their progress, and its place in the queue."""
    return JobAnswer.of(await existing_job(job_id, studio))


async def existing_job(job_id: str, studio: Collaborators) -> PlacedJob:
    """The job, or a 404."""
    placed = await studio.service.find(job_id)
    if placed is None:
        raise HTTPException(404, "There is no job with this id.")
    return placed
