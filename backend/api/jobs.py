"""GET /job/{job_id} and what can be done with a job: change, cancel, try again, remove."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Path

from backend.api.collaborators import Studio
from backend.api.job_schemas import JobAnswer, JobPatch
from backend.api.schemas import BODY_ERRORS, EXAMPLE_JOB_ID, ErrorAnswer
from backend.jobs.board import PlacedJob
from core.job import Job

_Found = TypeVar("_Found")

JobId = Annotated[str, Path(examples=[EXAMPLE_JOB_ID])]

UNKNOWN_JOB: dict[int | str, dict[str, object]] = {404: {"model": ErrorAnswer, "description": "There is no such job"}}
_CONFLICT = {"model": ErrorAnswer, "description": "The job's state does not allow it"}

router = APIRouter(tags=["jobs"], responses=UNKNOWN_JOB)


def existing(found: _Found | None) -> _Found:
    """What was found, or a 404."""
    if not found:
        raise HTTPException(404, "There is no job with this id.")
    return found


async def _existing_job(job_id: JobId, studio: Studio) -> PlacedJob:
    return existing(await studio.service.find(job_id))


async def _stored_job(job_id: JobId, studio: Studio) -> Job:
    return existing(await studio.service.stored(job_id))


ExistingJob = Annotated[PlacedJob, Depends(_existing_job)]
StoredJob = Annotated[Job, Depends(_stored_job)]


@router.get("/job/{job_id}", summary="The state of a job")
async def job(placed: ExistingJob) -> JobAnswer:
    """A job with its tracks, their progress, and its place in the queue."""
    return JobAnswer.of(placed)


@router.patch("/job/{job_id}", summary="Write on a job", responses=BODY_ERRORS)
async def edit(job_id: JobId, patch: JobPatch, studio: Studio) -> JobAnswer:
    """Change a job's title, its notes, or whether it is a favourite."""
    return JobAnswer.of(existing(await studio.service.edit(job_id, **patch.model_dump())))


@router.delete("/job/{job_id}", summary="Cancel a job")
async def cancel(job_id: JobId, studio: Studio) -> JobAnswer:
    """Tracks that wait are cancelled at once, those at work within two seconds; a job that has ended stays as it is."""
    return JobAnswer.of(existing(await studio.service.cancel(job_id)))


@router.post(
    "/job/{job_id}/retry",
    summary="Try a job again",
    responses={
        409: _CONFLICT,
        429: {"model": ErrorAnswer, "description": "Too many jobs wait; Retry-After says when to ask again"},
        507: {"model": ErrorAnswer, "description": "The disk is nearly full"},
    },
)
async def retry(job_id: JobId, studio: Studio) -> JobAnswer:
    """Queue the failed and cancelled tracks of a job that has ended once more, with the same seeds."""
    return JobAnswer.of(existing(await studio.service.retry(job_id)))


@router.delete("/jobs/{job_id}", status_code=204, summary="Remove a job", responses={409: _CONFLICT})
async def remove(job_id: JobId, studio: Studio) -> None:
    """Remove a job that has ended, with its files, for ever."""
    existing(await studio.service.remove(job_id))
