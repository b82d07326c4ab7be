"""GET /metrics: the system's own figures, for Prometheus."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from backend.api.collaborators import Studio

router = APIRouter(tags=["system"])


class PrometheusText(PlainTextResponse):
    """Prometheus' text format."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/metrics", summary="Figures for Prometheus", response_class=PrometheusText)
async def metrics(studio: Studio) -> PrometheusText:
    """Queue depth, workers by state, seconds of each phase, speed of the backbone, and how attempts at tracks ended."""
    states = Counter(worker.status.value for worker in studio.pool.workers)
    return PrometheusText(studio.metrics.exposition(await studio.service.counts(), states))
