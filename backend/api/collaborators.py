"""What the routes work with, taken from the application's state; bootstrap puts it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from backend.api.keys import ApiKeys
from backend.artifacts.store import ArtifactStore
from backend.jobs.service import JobService
from backend.metrics import Metrics
from backend.settings import Settings
from backend.workers.pool import WorkerPool


@dataclass(frozen=True, kw_only=True)
class Collaborators:
    """Everything the API needs."""

    settings: Settings
    service: JobService
    pool: WorkerPool
    artifacts: ArtifactStore
    keys: ApiKeys
    metrics: Metrics


def _collaborators(request: Request) -> Collaborators:
    return cast(Collaborators, request.app.state.collaborators)


Studio = Annotated[Collaborators, Depends(_collaborators)]
