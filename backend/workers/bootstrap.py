"""The worker's wiring: the one place in backend that chooses an engine and knows ``models``."""

from __future__ import annotations

import logging
from pathlib import Path

from fastapi import FastAPI

from backend.artifacts.metadata import UNTRAINED_WARNING
from backend.artifacts.song_writer import SongWriter
from backend.artifacts.store import ArtifactStore
from backend.settings import ModelSettings, Settings
from backend.workers.app import WorkerIdentity, create_worker_app
from backend.workers.devices import GpuId, torch_device
from backend.workers.lifeline import end_process
from backend.workers.musician import Musician
from backend.workers.recording import Recorder
from core.engine import SongEngine
from core.errors import KhalaError

logger = logging.getLogger(__name__)

_SEED_STEP = 1000


def build_worker(settings: Settings, *, worker_id: int, gpu_id: GpuId) -> FastAPI:
    """The application of one worker."""
    artifacts = ArtifactStore(settings.paths.output_dir)
    writer = SongWriter(artifacts)

    def recorder_for(engine: SongEngine) -> Recorder:
        return Recorder(
            engine,
            writer,
            gpu_id=gpu_id,
            superres_text_mode=settings.models.superres_text_mode,
            max_seconds=settings.models.max_seconds,
            tracks_at_once=settings.models.tracks_at_once,
        )

    device = settings.models.device or torch_device(gpu_id)
    musician = Musician(lambda: open_chosen_engine(settings, device=device), recorder_for, on_device_lost=end_process)
    identity = WorkerIdentity(
        worker_id=worker_id, gpu_id=gpu_id, seed=settings.models.base_seed + _SEED_STEP * worker_id
    )
    return create_worker_app(musician, artifacts, identity, settings.models, token=settings.server.worker_token)


def open_chosen_engine(settings: Settings, *, device: str | None) -> SongEngine:
    """The engine on the best checkpoint there is: published, else the demo, else an untrained miniature.

    ``device`` is None where the engine may choose.
    """
    # Imported late, on the model thread: torch takes seconds, and the worker answers /health meanwhile.
    from models.checkpoint.choose import choose_checkpoints

    checkpoints = choose_checkpoints(settings.paths.checkpoints)
    logger.info("opening %s", checkpoints)
    return open_engine(settings.models, checkpoints, device=device)


def open_engine(models: ModelSettings, checkpoints: Path, *, device: str | None) -> SongEngine:
    """The engine on exactly this checkpoint; CheckpointError when it cannot be used."""
    from models.engine_native import NativeEngine

    if models.tensor_parallel > 1 and models.engine != "megatron":
        raise KhalaError("Only the megatron engine can be shared by several processes: set KHALA_ENGINE=megatron.")
    engine: SongEngine
    if models.engine == "megatron":
        engine = _megatron(models, checkpoints, device)
    else:
        engine = NativeEngine.open(
            checkpoints,
            device=device,
            dtype=models.dtype,
            fc1_bias=models.fc1_bias,
            quantize=models.quantize,
            runtime_mode=models.runtime_mode,
        )
    if not engine.description.trained:
        logger.warning(UNTRAINED_WARNING)
    return engine


def _megatron(models: ModelSettings, checkpoints: Path, device: str | None) -> SongEngine:
    if models.quantize != "none":
        raise KhalaError(
            "The megatron engine keeps its weights whole: leave KHALA_QUANTIZE out, or use the native one."
        )
    try:
        from models.megatron.engine import Opening, open_megatron
    except ImportError as error:
        raise KhalaError(f"The megatron engine needs megatron-core, which is not installed ({error.name}).") from error
    opening = Opening(
        checkpoints=checkpoints,
        device=device,
        dtype=models.dtype,
        fc1_bias=models.fc1_bias,
        runtime_mode=models.runtime_mode,
    )
    return open_megatron(opening, ranks=models.tensor_parallel)
