"""Every setting, grouped; read from the environment when an instance is made, never on import.

Names carry the prefix ``KHALA_`` (``KHALA_MAX_SECONDS=20``). The names the published launcher knows, API_PORT,
WORKER_BASE_PORT, BASE_MASTER_PORT and BASE_SEED, work without it too.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.engine import RuntimeMode
from core.errors import KhalaError
from core.prompt import SuperresTextMode

PROJECT_ROOT = Path(__file__).resolve().parent.parent
BACKEND_ROOT = PROJECT_ROOT / "backend"

HASHED = "sha256:"
"""How an API key begins that is given by its SHA-256 (64 hexadecimal digits) in place of itself."""

_SHORTEST_KEY = 8


class SettingUnusable(KhalaError):
    """A setting has a value that means nothing; names the setting."""


def _origins(value: Any) -> Any:
    """Read here and not by pydantic-settings, whose error would not say what is expected."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise SettingUnusable(
            'KHALA_CORS_ORIGINS must be a JSON list of origins, for example ["http://localhost:30869"].'
        ) from error


def _keys(value: Any) -> Any:
    """Separated by commas, so that they can be written without quotes."""
    keys = [key.strip() for key in value.split(",") if key.strip()] if isinstance(value, str) else value
    for key in keys:
        if not (key.isascii() and key.isprintable() and len(key) >= _SHORTEST_KEY):
            raise SettingUnusable(
                f"KHALA_API_KEYS: every key has at least {_SHORTEST_KEY} characters, all of them printable ASCII."
            )
        if key.startswith(HASHED) and not re.fullmatch(r"[0-9a-f]{64}", key.removeprefix(HASHED)):
            raise SettingUnusable(f"KHALA_API_KEYS: after {HASHED} there are 64 hexadecimal digits in small letters.")
    return keys


def _published(name: str) -> AliasChoices:
    return AliasChoices(f"KHALA_{name}", name)


class _Group(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KHALA_", frozen=True, extra="ignore", populate_by_name=True)


class PathSettings(_Group):
    """Where things lie on disk."""

    checkpoints: Path = Field(default=PROJECT_ROOT / "checkpoints", description="Where models are looked for.")
    output_dir: Path = Field(default=BACKEND_ROOT / "generated_audio", description="Where songs are written.")
    logs_dir: Path = Field(default=BACKEND_ROOT / "logs", description="Where logs are written.")
    frontend_dist: Path = Field(default=PROJECT_ROOT / "frontend" / "dist", description="The built page.")


class ServerSettings(_Group):
    """Who listens where, and who may come in."""

    host: str = Field(default="127.0.0.1", description="Where the dispatcher listens; 0.0.0.0 lets other machines in.")
    api_port: int = Field(
        default=8889, ge=1, le=65535, validation_alias=_published("API_PORT"), description="The dispatcher's port."
    )
    worker_base_port: int = Field(
        default=8001,
        ge=1,
        le=65535,
        validation_alias=_published("WORKER_BASE_PORT"),
        description="The first worker's port, the next one's is one more.",
    )
    base_master_port: int = Field(
        default=8791,
        ge=1,
        le=65535,
        validation_alias=_published("BASE_MASTER_PORT"),
        description="Taken for the published launcher's sake; nothing here needs it.",
    )
    cors_origins: Annotated[list[str], NoDecode, BeforeValidator(_origins)] = Field(
        default=[], description="Origins browsers may call the API from; none by default."
    )
    api_keys: Annotated[list[str], NoDecode, BeforeValidator(_keys)] = Field(
        default=[], repr=False, description="Keys that open the API, or their SHA-256; with none it is open to all."
    )
    worker_host: str = Field(default="127.0.0.1", description="Where a worker listens; elsewhere it needs a token.")
    worker_token: str | None = Field(
        default=None, min_length=8, repr=False, description="What a worker asks of whoever calls it."
    )
    log_format: Literal["text", "json"] = Field(default="text", description="json: one object a line, for programs.")


class ModelSettings(_Group):
    """What a worker loads and how it computes. None leaves the choice to the engine, by device."""

    runtime_mode: RuntimeMode = Field(
        default=RuntimeMode.ONE_SHOT, description="one_shot keeps the stage at work in memory, keep_loaded all of them."
    )
    device: str | None = Field(default=None, description="cpu, cuda or mps; by default what is there.")
    dtype: str | None = Field(default=None, description="float32 or bfloat16; by default what suits the device.")
    fc1_bias: Literal["auto", "once", "twice"] = Field(
        default="auto", description="How often the fc1 bias counts; auto asks the checkpoint."
    )
    engine: Literal["native", "megatron"] = Field(
        default="native", description="megatron computes with megatron-core: slower, the reference."
    )
    tensor_parallel: int = Field(
        default=1, ge=1, description="Processes that share the megatron engine's weights: on a CPU, or on a GPU each."
    )
    quantize: Literal["none", "int8"] = Field(
        default="none", description="int8 keeps the weights in half of bfloat16's memory."
    )
    superres_text_mode: SuperresTextMode = Field(
        default=SuperresTextMode.WITHOUT_DESCRIPTION, description="What of the prompt super-resolution reads."
    )
    max_seconds: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="A hard stop for every track, in seconds of audio."
    )
    tracks_at_once: int | None = Field(
        default=None,
        ge=1,
        description=(
            "So many tracks of a job are written together, by default all. 1 needs the least memory, and a song is "
            "then to the bit what its seed says even where a device computes another batch in another order."
        ),
    )
    base_seed: int = Field(
        default=1283,
        ge=0,
        validation_alias=_published("BASE_SEED"),
        description="Shown with each worker, as published.",
    )

    @property
    def gpus_per_worker(self) -> int:
        """How many GPUs a worker takes where there are any."""
        on_gpus = self.device is None or self.device.startswith("cuda")
        return self.tensor_parallel if self.engine == "megatron" and on_gpus else 1


class JobSettings(_Group):
    """How jobs are kept, how many may wait, and how long a worker is believed in."""

    database_url: str = Field(
        default=f"sqlite:///{BACKEND_ROOT / 'data' / 'khala.sqlite3'}",
        description="Where jobs are kept: sqlite:////… or postgresql://…",
    )
    max_queued: int = Field(default=200, ge=1, description="So many jobs may wait; more are answered with a 429.")
    min_free_gb: float = Field(
        default=1.0,
        ge=0,
        allow_inf_nan=False,
        description="With less free on the disk of songs, no job is taken and none begun.",
    )
    keep_days: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Ended jobs that are older are removed; favourites stay."
    )
    keep_gb: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="The oldest are removed while those that are no favourites take more than this.",
    )
    max_attempts: int = Field(default=2, ge=1, description="How often a track is tried before a lost worker fails it.")
    worker_silence_seconds: float = Field(
        default=120.0, gt=0, description="A busy worker that gives no sign of life for so long counts as lost."
    )
    worker_stall_seconds: float = Field(
        default=900.0, gt=0, description="The longest step: a worker that lives but makes no progress is lost too."
    )
    worker_restart_seconds: float = Field(
        default=1.0, ge=0, description="A worker that ended is started again after this, twice as long every time ..."
    )
    worker_restart_longest_seconds: float = Field(default=30.0, ge=0, description="... but never longer than this.")
    shutdown_grace_seconds: float = Field(
        default=5.0, ge=0, description="How long a stop waits for songs at work before it queues them again."
    )


class Settings(BaseModel):
    """All groups together."""

    model_config = ConfigDict(frozen=True)

    paths: PathSettings = Field(default_factory=PathSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
