"""What goes in and out of the API, field for field as published (contract section 7); additions are marked.

The request's limits are core's own; nothing is written twice.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr

from backend.workers.devices import GpuId
from backend.workers.pool import PooledWorker, WorkerStatus
from core.engine import EngineDescription, RuntimeMode
from core.job import MAX_TITLE_CHARACTERS
from core.progress import Phase
from core.request import (
    DURATION_MINUTES,
    MAX_LYRICS_CHARACTERS,
    MAX_PROMPT_CHARACTERS,
    MAX_SEED,
    NUM_TRACKS,
    TEMPERATURE,
    TOP_K_BACKBONE,
    TOP_K_SUPERRES,
    GenerationRequest,
    Limit,
    Mode,
    PromptMode,
    SamplingOptions,
    clamp_with_warnings,
)

_WIDEST = 10**9
EXAMPLE_JOB_ID = "0b7c3f0c9d5e4a8e9f1d2c3b4a596877"


def _tame(value: Any) -> Any:
    """Bring numbers too large for any computer word to a size the clamping can speak of; true is no number."""
    if isinstance(value, bool):
        raise ValueError("input should be a number")
    if not isinstance(value, (int, float, str)):
        return value
    try:
        number = Decimal(value)
    except InvalidOperation:
        return value
    if number.is_finite() and number.copy_abs() > _WIDEST:
        return -_WIDEST if number.is_signed() else _WIDEST
    return value


# As forgiving as the published API, whose clients may send 3.0 or "3" for a duration.
ClampedInt = Annotated[int, BeforeValidator(_tame)]
ClampedFloat = Annotated[float, BeforeValidator(_tame)]


def _writable(value: str) -> str:
    """Text that any database and any file can hold."""
    if "\x00" in value:
        raise ValueError("must not contain NUL characters")
    return value


Text = Annotated[StrictStr, AfterValidator(_writable)]
Seconds = Annotated[float | None, Field(ge=0, description="From now, measured on this machine; null when not known.")]


def _clamped(limit: Limit) -> str:
    return f"{limit.low:g} to {limit.high:g}; values outside are clamped, with a warning."


class GenerateBody(BaseModel):
    """A song request. ``seed``, ``num_tracks``, ``top_k_sr`` and ``title`` are additions to the published API."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "mode": "vocal",
                    "prompt_mode": "tags",
                    "tags": "J-Pop, Female Vocals, Piano, Melancholic, Slow Tempo",
                    "lyrics": "[Verse]\nThe night wind taps against the glass\nI wait for morning, wide awake",
                    "duration": 3,
                },
                {
                    "mode": "instrumental",
                    "prompt_mode": "natural",
                    "prompt": "A calm lo-fi piece with soft piano and vinyl crackle",
                    "duration": 2,
                    "seed": 7,
                    "num_tracks": 1,
                },
            ]
        },
    )

    mode: Mode = Mode.VOCAL
    prompt_mode: PromptMode = PromptMode.TAGS
    prompt: StrictStr = Field(default="", max_length=MAX_PROMPT_CHARACTERS, description="Read in natural mode.")
    tags: StrictStr = Field(
        default="", max_length=MAX_PROMPT_CHARACTERS, description="Comma-separated; read in tags mode."
    )
    lyrics: StrictStr = Field(
        default="", max_length=MAX_LYRICS_CHARACTERS, description="Words to sing; ignored for instrumental requests."
    )
    duration: ClampedInt = Field(
        default=int(DURATION_MINUTES.default), description="Minutes, " + _clamped(DURATION_MINUTES)
    )
    top_k_bb: ClampedInt = Field(
        default=int(TOP_K_BACKBONE.default), description="Top-k of the backbone, " + _clamped(TOP_K_BACKBONE)
    )
    temperature: ClampedFloat = Field(
        default=TEMPERATURE.default, allow_inf_nan=False, description=_clamped(TEMPERATURE)
    )
    top_k_sr: StrictInt = Field(
        default=int(TOP_K_SUPERRES.default),
        ge=int(TOP_K_SUPERRES.low),
        le=int(TOP_K_SUPERRES.high),
        description="Top-k of super-resolution.",
    )
    num_tracks: StrictInt = Field(default=int(NUM_TRACKS.default), ge=int(NUM_TRACKS.low), le=int(NUM_TRACKS.high))
    seed: StrictInt | None = Field(
        default=None,
        ge=0,
        le=MAX_SEED,
        description="The first track's seed, the next track's is one more; drawn if absent.",
    )
    title: Text = Field(default="", max_length=MAX_TITLE_CHARACTERS, description="What people call the job.")

    def to_request(self) -> tuple[GenerationRequest, list[str]]:
        """The request this body asks for, and what a person should know about it; InvalidRequest if there is none."""
        duration, top_k_backbone, temperature, clamped = clamp_with_warnings(
            duration=self.duration, top_k_backbone=self.top_k_bb, temperature=self.temperature
        )
        request = GenerationRequest(
            mode=self.mode,
            prompt_mode=self.prompt_mode,
            prompt=self.prompt,
            tags=self.tags,
            lyrics=self.lyrics,
            duration_minutes=duration,
            sampling=SamplingOptions(
                top_k_backbone=top_k_backbone, top_k_superres=self.top_k_sr, temperature=temperature
            ),
        )
        return request, [*clamped, *request.warnings()]


class GenerateAnswer(BaseModel):
    """``accepted`` when a worker begins at once, ``queued`` otherwise. ``warnings`` and the times are additions."""

    status: Literal["accepted", "queued"]
    job_id: str = Field(examples=[EXAMPLE_JOB_ID])
    num_tracks: int
    queue_position: int = Field(description="1 is next in line; 0 when a worker begins at once.")
    warnings: list[str]
    starts_in_seconds: Seconds = Field(description="Null when it is not known, or has begun.")
    finishes_in_seconds: Seconds


class WorkerAnswer(BaseModel):
    """One worker. ``loaded`` (its models are ready) and ``error`` (why it cannot work) are additions."""

    worker_id: int
    url: str
    status: WorkerStatus
    phase: Phase
    gpu_id: GpuId
    loaded: bool
    error: str | None

    @classmethod
    def of(cls, worker: PooledWorker) -> WorkerAnswer:
        return cls(
            worker_id=worker.worker_id,
            url=worker.client.url,
            status=worker.status,
            phase=worker.phase,
            gpu_id=worker.gpu_id,
            loaded=worker.engine is not None,
            error=worker.error,
        )


class StatusAnswer(BaseModel):
    """The state of the whole system. ``untrained`` and ``held_up`` are additions."""

    total_gpus: int
    idle_gpus: int
    active_jobs: int
    queued_jobs: int
    workers: list[WorkerAnswer]
    untrained: bool | None = Field(
        description="True where the models have random weights and make noise; null until a worker knows."
    )
    held_up: str | None = Field(
        default=None,
        description="Why nothing that waits is begun though workers could, such as a full disk; null if nothing is.",
    )


class LimitAnswer(BaseModel):
    """The range of one field of a request."""

    low: float
    high: float
    default: float
    clamped: bool = Field(description="Whether values outside are clamped; otherwise they are refused.")


class CheckpointAnswer(BaseModel):
    """The model in use. Songs of one that is not trained are noise; the licence is that of its weights."""

    name: str
    trained: bool
    licence: str | None

    @classmethod
    def of(cls, engine: EngineDescription) -> CheckpointAnswer:
        return cls(name=engine.checkpoint, trained=engine.trained, licence=engine.licence)


class ConfigAnswer(BaseModel):
    """With what this system computes, and what a request may ask for."""

    runtime_mode: RuntimeMode
    max_seconds: float | None = Field(description="A hard stop for every track; null where there is none.")
    untrained: bool | None
    fc1_bias: str | None = Field(
        description=(
            "How often the bias of the models' first feed-forward layer is counted. The published weights expect "
            "'twice' (the library they were trained with added it two times); with 'once' they make noise."
        )
    )
    engine: EngineDescription | None = Field(description="Checkpoint, device and precision; null until a worker knows.")
    limits: dict[str, LimitAnswer]
    max_characters: dict[str, int]
    api_key_required: bool = Field(description="Whether most calls ask for a key; see POST /session.")
    checkpoint: CheckpointAnswer | None = Field(description="The model in use; null until a worker knows.")


class TagCategory(BaseModel):
    """One category of tags."""

    label: str
    tags: list[str]


class ErrorDetail(BaseModel):
    """One thing that is wrong with a request."""

    field: str
    message: str


class ErrorAnswer(BaseModel):
    """How every error looks: a sentence, and for a 422 which fields are wrong and why."""

    error: str = Field(examples=["seed: input should be greater than or equal to 0."])
    field: str | None = Field(default=None, examples=["seed"])
    detail: list[ErrorDetail] | None = None


BODY_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "The body cannot be read"},
    413: {"model": ErrorAnswer, "description": "The body is too large"},
    422: {"model": ErrorAnswer, "description": "A field is wrong; nothing was created or changed"},
}
"""How a call that takes a body can be refused for it."""


class SessionBody(BaseModel):
    """An API key, to be kept in a cookie."""

    model_config = ConfigDict(extra="forbid")

    key: Text = Field(max_length=1000)


class HealthAnswer(BaseModel):
    """The process serves."""

    status: Literal["ok"] = "ok"
