"""What the dispatcher and a worker say to each other over HTTP.

One task goes in; a stream of events comes back, one JSON object a line: ``progress`` as often as
``batch_watch`` lets through, then exactly one ``finished``, ``failed`` or ``cancelled`` a track; and ``heartbeat`` in
between where there is nothing else to say.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from backend.artifacts.store import TrackFiles
from backend.workers.devices import GpuId
from core.engine import EngineDescription, RuntimeMode
from core.progress import Phase, Progress
from core.prompt import SuperresTextMode
from core.request import GenerationRequest

REFUSES_STRANGERS = "This worker only listens to its dispatcher."
"""What whoever calls a worker without its token is told."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TrackTask(_Message):
    """One track to make: its place in the job, its seed, and the name of its files (a new one if it is None)."""

    index: int
    seed: int
    file_id: str | None = None


class GenerateTask(_Message):
    """Tracks of one job, to be made in one batch."""

    job_id: str
    request: GenerationRequest
    tracks: tuple[TrackTask, ...] = Field(min_length=1)


class ProgressEvent(_Message):
    """Where a track is."""

    type: Literal["progress"] = "progress"
    track: int
    progress: Progress


class FinishedEvent(_Message):
    """A track is done and its files are in the artifact store."""

    type: Literal["finished"] = "finished"
    track: int
    files: TrackFiles


class CancelOrder(_Message):
    """Tracks of a batch that nobody wants any more."""

    job_id: str
    tracks: tuple[int, ...]


class FailedEvent(_Message):
    """A track could not be made; ``error`` is a sentence for the person who asked for it."""

    type: Literal["failed"] = "failed"
    track: int
    error: str


class CancelledEvent(_Message):
    """A track was stopped because nobody wants it any more."""

    type: Literal["cancelled"] = "cancelled"
    track: int


Event: TypeAlias = Annotated[ProgressEvent | FinishedEvent | FailedEvent | CancelledEvent, Field(discriminator="type")]


class HeartbeatEvent(_Message):
    """The worker lives."""

    type: Literal["heartbeat"] = "heartbeat"


STREAMED: TypeAdapter[Event | HeartbeatEvent] = TypeAdapter(
    Annotated[Event | HeartbeatEvent, Field(discriminator="type")]
)


HealthStatus: TypeAlias = Literal["loading", "idle", "busy", "error"]


class Health(_Message):
    """How a worker is. ``engine`` is known once the models are found; ``error`` says why they can't be used."""

    status: HealthStatus
    phase: Phase = Phase.IDLE
    progress: int = 0
    progress_detail: str = ""
    worker_id: int
    gpu_id: GpuId
    seed: int
    runtime_mode: RuntimeMode
    pid: int
    job_id: str | None = None
    engine: EngineDescription | None = None
    error: str | None = None


class WorkerConfig(_Message):
    """With what a worker computes; ``engine`` is None until the models are found."""

    worker_id: int
    gpu_id: GpuId
    runtime_mode: RuntimeMode
    superres_text_mode: SuperresTextMode
    max_seconds: float | None
    untrained: bool
    engine: EngineDescription | None
