"""Songs of the miniature, end to end through the pipeline: what must hold of every one."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine import RuntimeMode
from core.errors import Cancelled
from core.pipeline import Song, SongPipeline
from core.progress import Phase, Progress
from core.request import GenerationRequest, Mode, SamplingOptions
from models.checkpoint.codec_file import build_decoder
from models.checkpoint.transformer_weights import load_transformer
from models.codec.native import NativeCodecDecoder
from models.engine_native import NativeEngine
from models.transformer.model import Transformer
from tests.fakes.watch import RecordingWatch

FRAME_SECONDS = 2048 / 44_100
SHORT = 12 * FRAME_SECONDS


@pytest.fixture(scope="module")
def engine(miniature: Path) -> NativeEngine:
    return NativeEngine.open(miniature, device="cpu", runtime_mode=RuntimeMode.KEEP_LOADED)


def make(
    engine: NativeEngine, seeds: Sequence[int], request: GenerationRequest, *, seconds: float = SHORT
) -> list[Song]:
    outcomes = sorted(
        SongPipeline(engine).run(request, seeds, RecordingWatch(), max_seconds=seconds),
        key=lambda outcome: outcome.track,
    )
    songs = [outcome.result for outcome in outcomes]
    assert all(isinstance(song, Song) for song in songs), songs
    return [song for song in songs if isinstance(song, Song)]


def first_track_ends_in(phase: Phase, reached: float) -> Callable[[int, list[Progress]], bool]:
    """For a watch: nobody wants track 0 any more once it is so far."""

    def unwanted(track: int, heard: list[Progress]) -> bool:
        return track == 0 and any(progress.phase is phase and progress.fraction >= reached for progress in heard)

    return unwanted


REQUESTS = st.builds(
    GenerationRequest,
    mode=st.sampled_from(Mode),
    tags=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30),
    lyrics=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60),
    duration_minutes=st.integers(1, 10),
    sampling=st.builds(
        SamplingOptions,
        top_k_backbone=st.integers(1, 200),
        top_k_superres=st.integers(1, 1024),
        temperature=st.floats(0.6, 1.4),
    ),
)


@settings(max_examples=20, deadline=None)
@given(request=REQUESTS, seeds=st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=4))
def test_a_track_is_the_same_alone_and_in_a_batch(
    engine: NativeEngine, request: GenerationRequest, seeds: list[int]
) -> None:
    together = make(engine, seeds, request)
    for seed, song in zip(seeds, together, strict=True):
        (alone,) = make(engine, [seed], request)
        assert np.array_equal(alone.codes.values, song.codes.values)
        assert np.array_equal(alone.audio, song.audio)


def test_a_longer_batch_crosses_attention_windows_and_stays_the_same(engine: NativeEngine) -> None:
    request = GenerationRequest(tags="Jazz, Piano", lyrics="la " * 60)
    seconds = 300 * FRAME_SECONDS  # with the prompt more than one cache window of 512 positions
    together = make(engine, [5, 6, 7], request, seconds=seconds)
    for seed, song in zip([5, 6, 7], together, strict=True):
        assert np.array_equal(make(engine, [seed], request, seconds=seconds)[0].codes.values, song.codes.values)


@settings(max_examples=10, deadline=None)
@given(request=REQUESTS, frames=st.integers(1, 30))
def test_codes_frames_and_samples_agree(engine: NativeEngine, request: GenerationRequest, frames: int) -> None:
    (song,) = make(engine, [3], request, seconds=frames * FRAME_SECONDS)
    codes = song.codes.values
    assert codes.shape == (64, frames)
    assert codes.dtype == np.int16
    assert 0 <= codes.min() <= codes.max() < 1024
    assert song.audio.shape == (2, frames * 2048)
    assert song.backbone_tokens == 2 * frames
    assert np.isfinite(song.audio).all()


def test_a_shorter_limit_gives_the_beginning_of_the_same_coarse_song(engine: NativeEngine) -> None:
    request = GenerationRequest(tags="Jazz", lyrics="la")
    (short,), (long,) = (make(engine, [9], request, seconds=n * FRAME_SECONDS) for n in (8, 20))
    assert np.array_equal(short.codes.coarse.values, long.codes.coarse.values[:8])


def test_both_runtime_modes_make_the_same_song(engine: NativeEngine, miniature: Path) -> None:
    request = GenerationRequest(tags="Jazz", lyrics="la")
    one_shot = NativeEngine.open(miniature, device="cpu", runtime_mode=RuntimeMode.ONE_SHOT)
    (kept,), (released,) = make(engine, [4], request), make(one_shot, [4], request)
    assert np.array_equal(kept.codes.values, released.codes.values)
    assert engine.is_loaded(Phase.BACKBONE)
    assert not one_shot.is_loaded(Phase.BACKBONE)


def test_one_shot_holds_one_stage_at_a_time(miniature: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models: list[weakref.ref[Transformer]] = []
    alive_at_load: list[int] = []

    def load(*arguments: Any, **keywords: Any) -> Transformer:
        alive_at_load.append(sum(model() is not None for model in models))
        model = load_transformer(*arguments, **keywords)
        models.append(weakref.ref(model))
        return model

    def decoder(*arguments: Any, **keywords: Any) -> NativeCodecDecoder:
        alive_at_load.append(sum(model() is not None for model in models))
        return build_decoder(*arguments, **keywords)

    monkeypatch.setattr("models.checkpoint.stage.load_transformer", load)
    monkeypatch.setattr("models.engine_native.build_decoder", decoder)
    engine = NativeEngine.open(miniature, device="cpu", runtime_mode=RuntimeMode.ONE_SHOT)
    watch = RecordingWatch(first_track_ends_in(Phase.SUPERRES, 0.3))
    outcomes = list(SongPipeline(engine).run(GenerationRequest(tags="a"), [1, 2], watch, max_seconds=SHORT))
    assert [type(outcome.result) for outcome in outcomes] == [Cancelled, Song]
    assert alive_at_load == [0, 0, 0], "backbone, super-resolution, decoder"


def test_other_seeds_make_other_songs(engine: NativeEngine) -> None:
    first, second = make(engine, [1, 2], GenerationRequest(tags="Jazz", lyrics="la"))
    assert not np.array_equal(first.codes.values, second.codes.values)


def test_an_untrained_song_has_the_length_that_was_asked_for(engine: NativeEngine) -> None:
    outcomes = SongPipeline(engine).run(
        GenerationRequest(mode=Mode.INSTRUMENTAL, duration_minutes=1), [0], watch := RecordingWatch()
    )
    (outcome,) = list(outcomes)
    assert isinstance(outcome.result, Song)
    assert outcome.result.codes.num_frames == int(60 * 44_100 / 2048)
    assert watch.heard[0][-1].phase is Phase.DECODING


def test_progress_only_moves_forward(engine: NativeEngine) -> None:
    watch = RecordingWatch()
    list(SongPipeline(engine).run(GenerationRequest(tags="a"), [1, 2], watch, max_seconds=SHORT))
    for heard in watch.heard.values():
        percents = [progress.percent for progress in heard]
        assert percents == sorted(percents)
        assert {Phase.BACKBONE, Phase.SUPERRES, Phase.DECODING} <= {progress.phase for progress in heard}


@pytest.mark.parametrize(("phase", "reached"), [(Phase.BACKBONE, 0.3), (Phase.SUPERRES, 0.3), (Phase.DECODING, 0.0)])
def test_a_cancelled_track_stops_in_any_phase_and_the_other_goes_on(
    engine: NativeEngine, phase: Phase, reached: float
) -> None:
    request = GenerationRequest(tags="a")
    watch = RecordingWatch(first_track_ends_in(phase, reached))
    outcomes = {o.track: o.result for o in SongPipeline(engine).run(request, [1, 2], watch, max_seconds=SHORT)}
    assert isinstance(outcomes[0], Cancelled)
    assert isinstance(outcomes[1], Song)
    assert np.array_equal(outcomes[1].codes.values, make(engine, [2], request)[0].codes.values)
