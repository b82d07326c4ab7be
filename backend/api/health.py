"""GET /healthz and /readyz: whether the process serves, and whether it can make songs."""

from __future__ import annotations

import logging

from fastapi import APIRouter, HTTPException
from sqlalchemy.exc import SQLAlchemyError

from backend.api.collaborators import Collaborators, Studio
from backend.api.schemas import ErrorAnswer, HealthAnswer

logger = logging.getLogger(__name__)

router = APIRouter(tags=["system"])


@router.get("/healthz", summary="Whether the process serves")
async def healthz() -> HealthAnswer:
    """Answers as long as the process does; says nothing of workers or the store."""
    return HealthAnswer()


@router.get(
    "/readyz",
    summary="Whether songs can be made",
    responses={503: {"model": ErrorAnswer, "description": "Not now; the sentence says why"}},
)
async def readyz(studio: Studio) -> HealthAnswer:
    """Whether the store answers and a worker can take work, now or when it is done with what it does."""
    if reason := await _obstacle(studio):
        raise HTTPException(503, reason)
    return HealthAnswer()


async def _obstacle(studio: Collaborators) -> str | None:
    try:
        await studio.service.counts()
    except SQLAlchemyError:
        logger.exception("the job store does not answer")
        return "The job store does not answer; the server's log has the details."
    return studio.pool.obstacle()
