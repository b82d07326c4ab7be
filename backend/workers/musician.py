"""The engine and the one thread it lives on: opens it, makes songs with it, says how it is.

One thread for all model work keeps the event loop free and the engine's own state in one place. Knows nothing of HTTP.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from backend.logs import log_job
from backend.workers.batch_watch import BatchWatch
from backend.workers.messages import CancelOrder, Event, FailedEvent, GenerateTask, HealthStatus
from backend.workers.recording import Recorder
from core.engine import EngineDescription, RuntimeMode, SongEngine
from core.errors import EngineLost, KhalaError
from core.progress import Phase, Progress

logger = logging.getLogger(__name__)

_UNEXPECTED = (
    "Something went wrong inside the worker while it made this track; its log in backend/logs has the details."
)
_DEVICE_LOST = (
    "The device failed while the worker made this track, so the worker starts again; its log in backend/logs has the "
    "details. Ask for the song once more."
)


class Musician:
    """Makes songs, one batch at a time. ``on_device_lost`` hears when only a new process can make another."""

    def __init__(
        self,
        open_engine: Callable[[], SongEngine],
        recorder_for: Callable[[SongEngine], Recorder],
        *,
        on_device_lost: Callable[[], None],
    ) -> None:
        self.error: str | None = None
        self.job_id: str | None = None
        self.engine: EngineDescription | None = None
        self._open_engine = open_engine
        self._recorder_for = recorder_for
        self._on_device_lost = on_device_lost
        self._recorder: Recorder | None = None
        self._watch: BatchWatch | None = None
        self._loading = Progress(phase=Phase.LOADING_BACKBONE)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="models")

    @property
    def status(self) -> HealthStatus:
        if self.error:
            return "error"
        if self._recorder is None:
            return "loading"
        return "busy" if self._watch else "idle"

    @property
    def progress(self) -> Progress:
        """What it is at right now."""
        # Taken once: the model thread may end the batch at any moment.
        watch = self._watch
        if watch:
            return watch.latest
        return self._loading if self.status == "loading" else Progress(phase=Phase.IDLE)

    def start(self) -> None:
        """Begin to open the engine."""
        self._thread.submit(self._open)

    def stop(self) -> None:
        """Stop the work at hand and wait for its thread."""
        watch = self._watch
        if watch:
            watch.stop()
        self._thread.shutdown(cancel_futures=True)

    def begin(self, task: GenerateTask, emit: Callable[[Event], None]) -> tuple[BatchWatch, Future[None]]:
        """Begin a batch; ``emit`` hears its events on the model thread. Call only when idle."""
        if self._recorder is None or self._watch is not None:
            raise RuntimeError("a batch was begun on a worker that is not idle")
        self._watch = watch = BatchWatch([track.index for track in task.tracks], emit)
        self.job_id = task.job_id
        return watch, self._thread.submit(self._perform, self._recorder, task, watch, emit)

    def cancel(self, order: CancelOrder) -> None:
        """Stop these tracks, if this is the batch at hand."""
        watch = self._watch
        if watch and self.job_id == order.job_id:
            watch.cancel(order.tracks)

    def _open(self) -> None:
        try:
            engine = self._open_engine()
            if engine.description.runtime_mode is RuntimeMode.KEEP_LOADED:
                self._load_all(engine)
        except KhalaError as error:
            logger.exception("the models cannot be used")
            self.error = str(error)
        except Exception:
            # The worker's edge: whatever a library raises, the person who looks at /status must hear of it.
            logger.exception("the models cannot be used")
            self.error = "The models could not be loaded; the worker's log in backend/logs has the details."
        else:
            logger.info("ready: %s", engine.description)
            self.engine = engine.description
            self._recorder = self._recorder_for(engine)

    def _load_all(self, engine: SongEngine) -> None:
        """Open every stage once; in this mode the engine keeps what it has loaded."""
        for phase, stage in (
            (Phase.LOADING_BACKBONE, engine.backbone),
            (Phase.LOADING_SUPERRES, engine.superres),
            (Phase.LOADING_DECODER, engine.decoder),
        ):
            self._loading = Progress(phase=phase)
            with stage():
                pass

    def _perform(
        self, recorder: Recorder, task: GenerateTask, watch: BatchWatch, emit: Callable[[Event], None]
    ) -> None:
        """Make all tracks of a task; each ends in exactly one event, whatever happens."""
        with log_job(task.job_id):
            self._make(recorder, task, watch, emit)

    def _make(self, recorder: Recorder, task: GenerateTask, watch: BatchWatch, emit: Callable[[Event], None]) -> None:
        unfinished = [track.index for track in task.tracks]
        logger.info("job %s: making tracks %s", task.job_id, unfinished)
        try:
            for event in recorder.record(task.request, task.tracks, watch, job_id=task.job_id):
                unfinished.remove(event.track)
                emit(event)
                logger.info("job %s: track %d %s", task.job_id, event.track, event.type)
        except Exception as error:
            # The worker's edge: one bad batch must not end the worker, and nobody should wait for it for ever.
            logger.exception("job %s: tracks %s failed", task.job_id, unfinished)
            if _is_device_lost(error):
                # Said before the tracks end, so that nobody takes the worker for idle.
                self.error = _DEVICE_LOST
                _fail_all(unfinished, _DEVICE_LOST, emit)
                self._on_device_lost()
            else:
                _fail_all(unfinished, str(error) if isinstance(error, KhalaError) else _UNEXPECTED, emit)
        finally:
            self._watch = self.job_id = None


def _is_device_lost(error: Exception) -> bool:
    """Whether this error leaves the process without a usable device: after one, every later CUDA call fails too."""
    # Looked up, not imported: an engine without torch cannot raise it.
    torch = sys.modules.get("torch")
    return isinstance(error, EngineLost) or (torch is not None and isinstance(error, torch.AcceleratorError))


def _fail_all(tracks: list[int], error: str, emit: Callable[[Event], None]) -> None:
    for track in tracks:
        emit(FailedEvent(track=track, error=error))
