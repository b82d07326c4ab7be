"""Makes songs and writes their files: the pipeline's outcomes become a track's last event."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from backend.artifacts.metadata import TrackFacts
from backend.artifacts.song_writer import SongWriter
from backend.workers.batch_watch import BatchWatch
from backend.workers.devices import GpuId, gpu_of
from backend.workers.messages import CancelledEvent, FailedEvent, FinishedEvent, TrackTask
from core.engine import SongEngine
from core.errors import ArtifactError, Cancelled
from core.pipeline import Song, SongPipeline
from core.prompt import SuperresTextMode
from core.request import GenerationRequest

logger = logging.getLogger(__name__)


class Recorder:
    """One engine and where its songs go."""

    def __init__(
        self,
        engine: SongEngine,
        writer: SongWriter,
        *,
        gpu_id: GpuId | None = None,
        superres_text_mode: SuperresTextMode,
        max_seconds: float | None,
        tracks_at_once: int | None = None,
        keep_codes: bool = False,
    ) -> None:
        """``gpu_id`` is the machine's number of the device, where that is not torch's own."""
        self._engine = engine
        self._writer = writer
        self._gpu_id = gpu_of(engine.description.device) if gpu_id is None else gpu_id
        self._superres_text_mode = superres_text_mode
        self._pipeline = SongPipeline(engine, superres_text_mode=superres_text_mode, tracks_at_once=tracks_at_once)
        self._max_seconds = max_seconds
        self._keep_codes = keep_codes

    def record(
        self, request: GenerationRequest, tracks: Sequence[TrackTask], watch: BatchWatch, *, job_id: str | None = None
    ) -> Iterator[FinishedEvent | FailedEvent | CancelledEvent]:
        """Make these tracks in one batch; one event each, as soon as it is known.

        KhalaError when the batch as a whole ends, which leaves the tracks without an event.
        """
        seeds = [track.seed for track in tracks]
        for outcome in self._pipeline.run(request, seeds, watch, max_seconds=self._max_seconds):
            track = tracks[outcome.track]
            if isinstance(outcome.result, Cancelled) or watch.cancelled(outcome.track):
                yield CancelledEvent(track=track.index)
                continue
            if not isinstance(outcome.result, Song):
                yield FailedEvent(track=track.index, error=str(outcome.result))
                continue
            facts = TrackFacts(
                request=request,
                seed=track.seed,
                engine=self._engine.description,
                superres_text_mode=self._superres_text_mode,
                gpu_id=self._gpu_id,
                stage_seconds=watch.stage_seconds(outcome.track),
                job_id=job_id,
                track_index=track.index,
            )
            yield self._write(outcome.result, facts, track.file_id)

    def _write(self, song: Song, facts: TrackFacts, file_id: str | None) -> FinishedEvent | FailedEvent:
        try:
            files = self._writer.write(
                song, self._engine.audio_format, facts, file_id=file_id, keep_codes=self._keep_codes
            )
        except ArtifactError as error:
            logger.exception("job %s: track %d could not be written", facts.job_id, facts.track_index)
            return FailedEvent(track=facts.track_index, error=str(error))
        return FinishedEvent(track=facts.track_index, files=files)
