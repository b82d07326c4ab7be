"""The in-memory twin of a song engine: seeded random codes and sine waves, in NumPy, in milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from core.codes import CoarseCodes, FullCodes
from core.engine import (
    AudioArray,
    AudioFormat,
    BackboneTask,
    EngineDescription,
    RuntimeMode,
    SuperresTask,
    Watch,
)
from core.errors import Cancelled, EmptyGeneration, GenerationError
from core.progress import Phase, Progress
from core.token_layout import TokenLayout

LAYERS = 64


class FakeEngine:
    """Songs of ``frames`` frames. ``hold`` stops the backbone until it is set; ``silent_seeds`` end at once."""

    def __init__(
        self,
        *,
        frames: int = 12,
        trained: bool = True,
        runtime_mode: RuntimeMode = RuntimeMode.ONE_SHOT,
        hold: threading.Event | None = None,
        silent_seeds: Sequence[int] = (),
        breakage: Exception | None = None,
    ) -> None:
        self.layout = TokenLayout(text_vocab_size=256, codebook_size=1024, num_quantizers=LAYERS)
        self.audio_format = AudioFormat(sample_rate_hz=44_100, hop_samples=2_048, channels=2)
        self.description = EngineDescription(
            checkpoint="fake",
            trained=trained,
            backbone_name="fake-backbone",
            superres_name="fake-superres",
            codec_name="fake-codec",
            fc1_bias="once",
            engine="fake",
            device="cpu",
            dtype="float32",
            runtime_mode=runtime_mode,
        )
        self.frames = frames
        self.hold = hold
        self.silent_seeds = silent_seeds
        self.breakage = breakage
        self.batches: list[list[int]] = []
        """Seeds of every batch the backbone was asked for."""
        self.opened: list[Phase] = []
        """Stages in the order they were opened."""

    def encode_text(self, text: str) -> list[int]:
        return list(text.encode())

    def is_loaded(self, phase: Phase) -> bool:
        return self.description.runtime_mode is RuntimeMode.KEEP_LOADED

    @contextmanager
    def backbone(self) -> Iterator[FakeEngine]:
        self.opened.append(Phase.BACKBONE)
        yield self

    @contextmanager
    def superres(self) -> Iterator[FakeEngine]:
        self.opened.append(Phase.SUPERRES)
        yield self

    @contextmanager
    def decoder(self) -> Iterator[FakeEngine]:
        self.opened.append(Phase.DECODING)
        yield self

    @contextmanager
    def encoder(self) -> Iterator[FakeEngine]:
        yield self

    def generate(self, tasks: Sequence[BackboneTask], watch: Watch) -> list[CoarseCodes | GenerationError]:
        self.batches.append([task.seed for task in tasks])
        if self.breakage:
            raise self.breakage
        return [self._write(track, task, watch) for track, task in enumerate(tasks)]

    def _write(self, track: int, task: BackboneTask, watch: Watch) -> CoarseCodes | GenerationError:
        if task.seed in self.silent_seeds:
            return EmptyGeneration("The model ended the song before its first frame. Try another seed.")
        frames = min(self.frames, task.max_frames)
        for frame in range(frames):
            watch.progress(track, Progress(phase=Phase.BACKBONE, fraction=frame / frames, tokens=2 * frame))
            while not watch.cancelled(track) and self.hold and not self.hold.wait(0.01):
                pass
            if watch.cancelled(track):
                return Cancelled("The track was cancelled.")
        return CoarseCodes(values=np.random.default_rng(task.seed).integers(0, 1024, (frames, 2)).astype(np.int16))

    def resolve(self, task: SuperresTask, on_layer: Callable[[float], None]) -> FullCodes:
        rest = np.random.default_rng(task.seed).integers(0, 1024, (LAYERS - 2, task.coarse.num_frames))
        on_layer(1.0)
        return FullCodes(values=np.concatenate([task.coarse.values.T, rest.astype(np.int16)]))

    def decode(self, codes: FullCodes) -> Iterator[AudioArray]:
        hop = self.audio_format.hop_samples
        for frame in range(codes.num_frames):
            pitch_hz = 200 + int(codes.values[0, frame])
            moments = (frame * hop + np.arange(hop)) / self.audio_format.sample_rate_hz
            yield np.tile(0.5 * np.sin(2 * np.pi * pitch_hz * moments), (2, 1)).astype(np.float32)

    def encode(self, audio: AudioArray) -> FullCodes:
        frames = -(-audio.shape[1] // self.audio_format.hop_samples)
        return FullCodes(values=np.zeros((LAYERS, frames), np.int16))
