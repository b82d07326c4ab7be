"""What is written down about a finished track: the metadata JSON and the MP3's tags (contract section 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.workers.devices import GpuId
from core.engine import EngineDescription
from core.prompt import INSTRUMENTAL_LANGUAGE, SuperresTextMode
from core.request import GenerationRequest, Mode, PromptMode

UNTRAINED_WARNING = "untrained: this checkpoint has random weights, so what it makes is noise, not music."
CUT_WARNING = "cut: the model had not ended this song when it reached its limit, so it was ended there."

_TITLE_CHARACTERS = 60


@dataclass(frozen=True, kw_only=True)
class TrackFacts:
    """How a track came to be."""

    request: GenerationRequest
    seed: int
    engine: EngineDescription
    superres_text_mode: SuperresTextMode
    gpu_id: GpuId
    stage_seconds: Mapping[str, float]
    job_id: str | None = None
    track_index: int = 0


def request_body(request: GenerationRequest, seed: int, *, num_tracks: int = 1) -> dict[str, Any]:
    """The body that, posted to ``/generate``, makes the track of this seed again, and those after it."""
    return {
        "mode": request.mode.value,
        "prompt_mode": request.prompt_mode.value,
        "prompt": request.prompt,
        "tags": request.tags,
        "lyrics": request.lyrics,
        "duration": request.duration_minutes,
        "top_k_bb": request.sampling.top_k_backbone,
        "top_k_sr": request.sampling.top_k_superres,
        "temperature": request.sampling.temperature,
        "seed": seed,
        "num_tracks": num_tracks,
    }


def track_metadata(
    facts: TrackFacts,
    *,
    file_id: str,
    created_at: datetime,
    duration_seconds: float,
    backbone_tokens: int,
    mp3_made: bool,
    warnings: list[str],
) -> dict[str, Any]:
    """The metadata JSON: the contract's fields first, ours after them."""
    request, engine = facts.request, facts.engine
    natural = request.prompt_mode is PromptMode.NATURAL
    instrumental = request.mode is Mode.INSTRUMENTAL
    return {
        "file_id": file_id,
        "superres_text_mode": facts.superres_text_mode.value,
        "raw_user_input": request.metadata_text,
        "raw_mode": request.mode.value,
        "raw_prompt_mode": request.prompt_mode.value,
        "model_genre": "",
        "model_language": INSTRUMENTAL_LANGUAGE if instrumental else "",
        "model_tags": "" if natural else request.tags,
        "model_description": request.prompt if natural else "",
        "duration_min": request.duration_minutes,
        "lyrics": request.cleaned_lyrics,
        "backbone_name": engine.backbone_name,
        "superres_name": engine.superres_name,
        "top_k_bb": request.sampling.top_k_backbone,
        "top_k_sr": request.sampling.top_k_superres,
        "temperature": request.sampling.temperature,
        "gpu_id": facts.gpu_id,
        "seed": facts.seed,
        "backbone_tokens": backbone_tokens,
        "duration_sec": duration_seconds,
        "wav_file": f"{file_id}.wav",
        "mp3_file": f"{file_id}.mp3" if mp3_made else None,
        "created_at": created_at.isoformat(),
        "job_id": facts.job_id,
        "track_index": facts.track_index,
        "checkpoint": engine.checkpoint,
        "trained": engine.trained,
        "codec_name": engine.codec_name,
        "licence": engine.licence,
        "engine": engine.engine,
        "device": engine.device,
        "dtype": engine.dtype,
        "fc1_bias": engine.fc1_bias,
        "runtime_mode": engine.runtime_mode.value,
        "stage_seconds": {stage: round(seconds, 3) for stage, seconds in facts.stage_seconds.items()},
        "warnings": warnings if engine.trained else [UNTRAINED_WARNING, *warnings],
        "request": request_body(request, facts.seed),
    }


def mp3_tags(facts: TrackFacts, *, file_id: str, created_at: datetime) -> dict[str, str]:
    """ID3 tags, by ffmpeg's names; the comment says that a machine made the song, and which."""
    request = facts.request
    return {
        "title": song_title(request) or file_id,
        "artist": "Khala (machine-made music)",
        "album": "Khala",
        "genre": request.tags.split(",")[0].strip() if request.prompt_mode is PromptMode.TAGS else "",
        "date": f"{created_at:%Y-%m-%d}",
        "encoded_by": "Khala",
        "comment": (
            f"This song was made by a machine: Khala, checkpoint {facts.engine.checkpoint}, seed {facts.seed}, "
            f"file {file_id}."
        ),
    }


def song_title(request: GenerationRequest) -> str:
    """The first sung line, else the description, cut to a readable length."""
    lines = (line.strip() for line in request.cleaned_lyrics.splitlines())
    sung = next((line for line in lines if line and not line.startswith("[")), "")
    title = sung or " ".join(request.metadata_text.split())
    return title if len(title) <= _TITLE_CHARACTERS else title[: _TITLE_CHARACTERS - 1].rstrip() + "…"
