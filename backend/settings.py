"""Every setting, grouped; read from the environment when an instance is made, never on import.

Names carry the prefix ``KHALA_`` (``KHALA_MAX_SECONDS=20``). The names the published launcher knows, API_PORT,
WORKER_BASE_PORT, BASE_MASTER_PORT and BASE_SEED, work without it too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.engine import RuntimeMode
from core.errors import KhalaError
from core.prompt import SuperresTextMode

PROJECT_ROOT = Path(__file__).resolve().parent.parent
BACKEND_ROOT = PROJECT_ROOT / "backend"


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


def _published(name: str) -> AliasChoices:
    return AliasChoices(f"KHALA_{name}", name)


class _Group(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="KHALA_", frozen=True, extra="ignore", populate_by_name=True)


class PathSettings(_Group):
    """Where things lie on disk."""

    checkpoints: Path = PROJECT_ROOT / "checkpoints"
    output_dir: Path = BACKEND_ROOT / "generated_audio"
    logs_dir: Path = BACKEND_ROOT / "logs"
    frontend_dist: Path = PROJECT_ROOT / "frontend" / "dist"


class ServerSettings(_Group):
    """Who listens where. Workers always listen on the loopback interface."""

    host: str = "127.0.0.1"
    api_port: int = Field(default=8889, ge=1, le=65535, validation_alias=_published("API_PORT"))
    worker_base_port: int = Field(default=8001, ge=1, le=65535, validation_alias=_published("WORKER_BASE_PORT"))
    base_master_port: int = Field(default=8791, ge=1, le=65535, validation_alias=_published("BASE_MASTER_PORT"))
    cors_origins: Annotated[list[str], NoDecode, BeforeValidator(_origins)] = Field(
        default=[], description="Origins browsers may call the API from; none by default."
    )


class ModelSettings(_Group):
    """What a worker loads and how it computes. None leaves the choice to the engine, by device."""

    runtime_mode: RuntimeMode = RuntimeMode.ONE_SHOT
    device: str | None = None
    dtype: str | None = None
    fc1_bias: Literal["auto", "once", "twice"] = "auto"
    superres_text_mode: SuperresTextMode = SuperresTextMode.WITHOUT_DESCRIPTION
    max_seconds: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="A hard stop for every track, in seconds of audio."
    )
    base_seed: int = Field(default=1283, ge=0, validation_alias=_published("BASE_SEED"))


class JobSettings(_Group):
    """How jobs are kept and how long a silent worker is believed in."""

    database_url: str = f"sqlite:///{BACKEND_ROOT / 'data' / 'khala.sqlite3'}"
    max_attempts: int = Field(default=2, ge=1, description="How often a track is tried before a lost worker fails it.")
    worker_silence_seconds: float = Field(
        default=900.0, gt=0, description="A busy worker that says nothing for so long counts as lost."
    )


class Settings(BaseModel):
    """All groups together."""

    model_config = ConfigDict(frozen=True)

    paths: PathSettings = Field(default_factory=PathSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
