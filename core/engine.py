"""The ports the pipeline calls: what a backbone, a super-resolution model and a codec can do, whoever runs them.

Arrays at these borders are NumPy on the host; tensors and devices stay behind them. A stage reports to and asks its
``Watch`` about tracks by their place in the batch it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from core.codes import CoarseCodes, FullCodes, IdArray
from core.errors import GenerationError
from core.progress import Phase, Progress
from core.token_layout import TokenLayout

AudioArray: TypeAlias = npt.NDArray[np.float32]
"""Audio, float32 [channels, samples], full scale ±1."""


class Watch(Protocol):
    """Who follows the work: hears of progress and knows which tracks are no longer wanted."""

    def progress(self, track: int, progress: Progress) -> None: ...

    def cancelled(self, track: int) -> bool: ...


class Unwatched:
    """Implements Watch for work that nobody follows: hears nothing, wants everything."""

    def progress(self, track: int, progress: Progress) -> None: ...

    def cancelled(self, track: int) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class BackboneTask:
    """One track for the backbone. ``expected_tokens`` scales the progress bar and the memory that is taken at first;
    ``max_frames`` is a hard stop."""

    prompt: IdArray
    seed: int
    top_k: int
    temperature: float
    max_frames: int
    expected_tokens: int


@dataclass(frozen=True, kw_only=True)
class SuperresTask:
    """One track for super-resolution."""

    prompt: IdArray
    coarse: CoarseCodes
    seed: int
    top_k: int


class BackboneGenerator(Protocol):
    """Continues prompts with coarse codes, all tracks of a batch together."""

    def generate(self, tasks: Sequence[BackboneTask], watch: Watch) -> list[CoarseCodes | GenerationError]:
        """Codes of each task, or why there are none; one track's end never ends another's."""
        ...


class SuperResolver(Protocol):
    """Completes coarse codes to all RVQ layers."""

    def resolve(self, task: SuperresTask, on_layer: Callable[[float], None]) -> FullCodes:
        """All layers of one track. ``on_layer`` hears the fraction done and may raise to stop."""
        ...


class CodecDecoder(Protocol):
    """Turns codes into audio."""

    def decode(self, codes: FullCodes) -> Iterator[AudioArray]:
        """Consecutive pieces of the song, each [channels, samples]."""
        ...


class CodecEncoder(Protocol):
    """Turns audio into codes."""

    def encode(self, audio: AudioArray) -> FullCodes:
        """Codes of audio at the codec's own sample rate; the last frame is filled with silence."""
        ...


@dataclass(frozen=True, kw_only=True)
class AudioFormat:
    """What the codec's samples mean; frame rate = sample rate / hop."""

    sample_rate_hz: int
    hop_samples: int
    channels: int

    @property
    def frames_per_second(self) -> float:
        return self.sample_rate_hz / self.hop_samples


class RuntimeMode(str, Enum):
    """Which weights stay in memory between stages: only the stage at work, or all of them."""

    ONE_SHOT = "one_shot"
    KEEP_LOADED = "keep_loaded"


@dataclass(frozen=True, kw_only=True)
class EngineDescription:
    """What is loaded, in words for logs, ``/config`` and metadata."""

    checkpoint: str
    trained: bool
    backbone_name: str
    superres_name: str
    codec_name: str
    fc1_bias: str
    engine: str
    device: str
    dtype: str
    runtime_mode: RuntimeMode
    licence: str | None = None
    longest: float | None = None
    """How many times the asked length a song may last before it is ended; None if only the token limits bound it."""
    suggested_minutes: int | None = None
    """The length the checkpoint is best at; None if it has no favourite."""


class SongEngine(Protocol):
    """All models of one checkpoint on one device. A stage's weights are in memory inside its ``with`` block."""

    layout: TokenLayout
    audio_format: AudioFormat
    description: EngineDescription

    def encode_text(self, text: str) -> list[int]:
        """Ids of a person's text; never a special token."""
        ...

    def is_loaded(self, phase: Phase) -> bool:
        """Whether the stage of this phase (backbone, superres or decoding) can start without loading."""
        ...

    def backbone(self) -> AbstractContextManager[BackboneGenerator]: ...

    def superres(self) -> AbstractContextManager[SuperResolver]: ...

    def decoder(self) -> AbstractContextManager[CodecDecoder]: ...

    def encoder(self) -> AbstractContextManager[CodecEncoder]: ...
