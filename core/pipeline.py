"""From a request to audio: prompts → coarse codes → all codes → samples, for all tracks of a job.

The readable heart of the system. Knows the order of the stages and what each needs; nothing of tensors, files, HTTP.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.codes import CoarseCodes, FullCodes, IdArray, SavedCodes
from core.engine import AudioArray, BackboneTask, SongEngine, SuperresTask, Watch
from core.errors import Cancelled, GenerationError, without_frames
from core.progress import Phase, Progress
from core.prompt import SuperresTextMode, backbone_prompt, superres_prompt
from core.request import GenerationRequest
from core.token_layout import COARSE_LAYERS

MAX_NEW_TOKENS = 23_552
"""Tokens the backbone may write for one song, about 9.1 minutes (contract section 3)."""

MAX_SEQUENCE_TOKENS = 25_600
"""Prompt and song together (contract section 3)."""

PROGRESS_SLACK_MINUTES = 0.8
"""Songs run a little over the asked length; the progress estimate allows for it (contract section 3)."""


@dataclass(frozen=True, kw_only=True)
class Song:
    """A finished track: what was read, what was written, how it sounds."""

    saved: SavedCodes
    audio: AudioArray
    is_cut: bool = False
    """Whether a limit ended it, not the model."""

    @property
    def codes(self) -> FullCodes:
        return self.saved.codes

    @property
    def backbone_tokens(self) -> int:
        return self.codes.num_frames * COARSE_LAYERS


@dataclass(frozen=True, kw_only=True)
class TrackOutcome:
    """How one track of a batch ended: a song, or the reason there is none."""

    track: int
    result: Song | GenerationError


class SongPipeline:
    """Runs requests through one engine."""

    def __init__(
        self,
        engine: SongEngine,
        *,
        superres_text_mode: SuperresTextMode = SuperresTextMode.WITHOUT_DESCRIPTION,
        tracks_at_once: int | None = None,
    ) -> None:
        """The backbone writes ``tracks_at_once`` tracks together, by default all."""
        self._engine = engine
        self._tracks_at_once = tracks_at_once
        self._superres_text_mode = superres_text_mode

    def run(
        self, request: GenerationRequest, seeds: Sequence[int], watch: Watch, *, max_seconds: float | None = None
    ) -> Iterator[TrackOutcome]:
        """One outcome a seed, each as soon as it is known; track numbers are places in ``seeds``.

        ``max_seconds`` ends every track on the last whole frame inside it, if the model has not ended it before.
        """
        layout, encode = self._engine.layout, self._engine.encode_text
        prompt = backbone_prompt(request, layout, encode)
        max_frames = self._max_frames(request, len(prompt), max_seconds)
        superres_ids = superres_prompt(request, layout, encode, self._superres_text_mode)

        alive: dict[int, CoarseCodes] = {}
        for track, coarse in enumerate(self._write_coarse(request, prompt, seeds, watch, max_frames)):
            if isinstance(coarse, GenerationError):
                yield TrackOutcome(track=track, result=coarse)
            else:
                alive[track] = coarse

        completed: dict[int, FullCodes] = {}
        top_k = request.sampling.top_k_superres
        tasks = {
            track: SuperresTask(prompt=superres_ids, coarse=coarse, seed=seeds[track], top_k=top_k)
            for track, coarse in alive.items()
        }
        for track, codes in self._complete(tasks, watch).items():
            if isinstance(codes, GenerationError):
                yield TrackOutcome(track=track, result=codes)
            else:
                completed[track] = codes

        for track, audio in self._decode(completed, watch):
            if isinstance(audio, GenerationError):
                yield TrackOutcome(track=track, result=audio)
            else:
                saved = SavedCodes(codes=completed[track], backbone_prompt=prompt, superres_prompt=superres_ids)
                is_cut = alive[track].num_frames >= max_frames
                yield TrackOutcome(track=track, result=Song(saved=saved, audio=audio, is_cut=is_cut))

    def _max_frames(self, request: GenerationRequest, prompt_tokens: int, max_seconds: float | None) -> int:
        """Where a song is ended at the latest."""
        bound = min(MAX_NEW_TOKENS, MAX_SEQUENCE_TOKENS - prompt_tokens) // COARSE_LAYERS
        if longest := self._engine.description.longest:
            max_seconds = min(max_seconds or math.inf, longest * request.duration_minutes * 60)
        if max_seconds is None:
            return bound
        # A limit that is exactly some frames long, but for rounding, means all of them.
        return min(bound, max(1, int(max_seconds * self._engine.audio_format.frames_per_second + 1e-6)))

    def _write_coarse(
        self, request: GenerationRequest, prompt: IdArray, seeds: Sequence[int], watch: Watch, max_frames: int
    ) -> list[CoarseCodes | GenerationError]:
        frame_rate = self._engine.audio_format.frames_per_second
        expected = min(max_frames, expected_frames(request.duration_minutes, frame_rate))
        tasks = [
            BackboneTask(
                prompt=prompt,
                seed=seed,
                top_k=request.sampling.top_k_backbone,
                temperature=request.sampling.temperature,
                max_frames=max_frames,
                expected_tokens=expected * COARSE_LAYERS,
            )
            for seed in seeds
        ]
        self._announce(Phase.LOADING_BACKBONE, Phase.BACKBONE, range(len(seeds)), watch)
        together = self._tracks_at_once or len(tasks)
        written: list[CoarseCodes | GenerationError] = []
        with self._engine.backbone() as backbone:
            for first in range(0, len(tasks), together):
                written += backbone.generate(tasks[first : first + together], _LaterTracks(watch, first))
        return written

    # Each stage has a method of its own, so that no name keeps its weights alive while the next one loads.

    def _complete(self, tasks: dict[int, SuperresTask], watch: Watch) -> dict[int, FullCodes | GenerationError]:
        if not tasks:
            return {}
        results: dict[int, FullCodes | GenerationError] = {}
        self._announce(Phase.LOADING_SUPERRES, Phase.SUPERRES, tasks, watch)
        with self._engine.superres() as resolver:
            self._announce(Phase.LOADING_SUPERRES, Phase.SUPERRES, tasks, watch)
            for track, task in tasks.items():
                try:
                    results[track] = resolver.resolve(task, _follow(watch, track, Phase.SUPERRES))
                except GenerationError as error:  # noqa: PERF203 - one track's end never ends another's
                    results[track] = without_frames(error)
        return results

    def _decode(
        self, completed: dict[int, FullCodes], watch: Watch
    ) -> Iterator[tuple[int, AudioArray | GenerationError]]:
        if not completed:
            return
        self._announce(Phase.LOADING_DECODER, Phase.DECODING, completed, watch)
        with self._engine.decoder() as decoder:
            self._announce(Phase.LOADING_DECODER, Phase.DECODING, completed, watch)
            for track, codes in completed.items():
                total = codes.num_frames * self._engine.audio_format.hop_samples
                decoded: AudioArray | GenerationError
                try:
                    decoded = _gather(decoder.decode(codes), total, _follow(watch, track, Phase.DECODING))
                except GenerationError as error:
                    decoded = without_frames(error)
                yield track, decoded

    def _announce(self, loading: Phase, stage: Phase, tracks: Iterable[int], watch: Watch) -> None:
        phase = stage if self._engine.is_loaded(stage) else loading
        for track in tracks:
            watch.progress(track, Progress(phase=phase))


class _LaterTracks:
    """Implements Watch for part of a job: its tracks count from 0."""

    def __init__(self, watch: Watch, first: int) -> None:
        self._watch, self._first = watch, first

    def progress(self, track: int, progress: Progress) -> None:
        self._watch.progress(self._first + track, progress)

    def cancelled(self, track: int) -> bool:
        return self._watch.cancelled(self._first + track)


def expected_frames(minutes: float, frames_per_second: float) -> int:
    """As many as a song of the asked length takes, with what it may run over."""
    return round((minutes + PROGRESS_SLACK_MINUTES) * 60 * frames_per_second)


def _follow(watch: Watch, track: int, phase: Phase) -> Callable[[float], None]:
    """A callback that reports a fraction of one phase and raises Cancelled once the track is unwanted."""

    def follow(fraction: float) -> None:
        if watch.cancelled(track):
            raise Cancelled("The track was cancelled.")
        watch.progress(track, Progress(phase=phase, fraction=fraction))

    follow(0.0)
    return follow


def _gather(pieces: Iterator[AudioArray], total_samples: int, on_piece: Callable[[float], None]) -> AudioArray:
    """Join pieces into one array, telling ``on_piece`` how much is there."""
    parts: list[AudioArray] = []
    there = 0
    for piece in pieces:
        parts.append(piece)
        there += piece.shape[1]
        on_piece(there / total_samples)
    return np.concatenate(parts, axis=1)
