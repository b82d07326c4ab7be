"""GET /status and /config: how the system is, and with what it computes."""

from __future__ import annotations

from fastapi import APIRouter

from backend.api.collaborators import Studio
from backend.api.schemas import CheckpointAnswer, ConfigAnswer, LimitAnswer, StatusAnswer, WorkerAnswer
from backend.workers.pool import WorkerPool
from core.engine import EngineDescription
from core.job import MAX_NOTES_CHARACTERS, MAX_TITLE_CHARACTERS
from core.request import (
    DURATION_MINUTES,
    MAX_LYRICS_CHARACTERS,
    MAX_PROMPT_CHARACTERS,
    NUM_TRACKS,
    TEMPERATURE,
    TOP_K_BACKBONE,
    TOP_K_SUPERRES,
    Limit,
)

router = APIRouter(tags=["system"])


@router.get("/status", summary="Workers and queue")
async def status(studio: Studio) -> StatusAnswer:
    """How many workers there are, what each does, and how much waits."""
    counts = await studio.service.counts()
    engine = _engine(studio.pool)
    return StatusAnswer(
        total_gpus=len(studio.pool.workers),
        idle_gpus=len(studio.pool.idle()),
        active_jobs=counts.active,
        queued_jobs=counts.queued,
        workers=[WorkerAnswer.of(worker) for worker in studio.pool.workers],
        untrained=None if engine is None else not engine.trained,
        held_up=studio.pool.held_up,
    )


@router.get("/config", summary="Models and limits")
async def config(studio: Studio) -> ConfigAnswer:
    """What the workers have loaded, and the limits and defaults of a request's fields."""
    engine = _engine(studio.pool)
    models = studio.settings.models
    return ConfigAnswer(
        runtime_mode=models.runtime_mode,
        max_seconds=models.max_seconds,
        untrained=None if engine is None else not engine.trained,
        fc1_bias=None if engine is None else engine.fc1_bias,
        engine=engine,
        limits={
            "duration": _limit(DURATION_MINUTES, clamped=True),
            "top_k_bb": _limit(TOP_K_BACKBONE, clamped=True),
            "temperature": _limit(TEMPERATURE, clamped=True),
            "top_k_sr": _limit(TOP_K_SUPERRES, clamped=False),
            "num_tracks": _limit(NUM_TRACKS, clamped=False),
        },
        max_characters={
            "prompt": MAX_PROMPT_CHARACTERS,
            "tags": MAX_PROMPT_CHARACTERS,
            "lyrics": MAX_LYRICS_CHARACTERS,
            "title": MAX_TITLE_CHARACTERS,
            "notes": MAX_NOTES_CHARACTERS,
        },
        api_key_required=bool(studio.keys),
        checkpoint=CheckpointAnswer.of(engine) if engine else None,
    )


def _engine(pool: WorkerPool) -> EngineDescription | None:
    """What the first worker that knows has loaded; all load the same checkpoint."""
    return next((worker.engine for worker in pool.workers if worker.engine), None)


def _limit(limit: Limit, *, clamped: bool) -> LimitAnswer:
    return LimitAnswer(low=limit.low, high=limit.high, default=limit.default, clamped=clamped)
