"""The megatron-core engine makes the native engine's songs: alone, and shared by two ranks."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.engine import SongEngine
from core.errors import Cancelled, EngineLost, KhalaError
from core.pipeline import Song, SongPipeline, TrackOutcome
from core.progress import Phase
from core.request import GenerationRequest, Mode
from models.engine_native import NativeEngine
from models.megatron.engine import MegatronEngine, Opening, open_megatron
from tests.fakes.watch import RecordingWatch

REQUEST = GenerationRequest(mode=Mode.INSTRUMENTAL, tags="Jazz, Piano")
SECONDS = 0.4


@pytest.fixture(params=[1, 2], ids=["one rank", "two ranks"])
def megatron(request: pytest.FixtureRequest, miniature: Path) -> Iterator[MegatronEngine]:
    engine = open_megatron(Opening(checkpoints=miniature, device="cpu"), ranks=request.param)
    yield engine
    engine.close()
    assert not multiprocessing.active_children()


def outcomes(engine: SongEngine, watch: RecordingWatch) -> list[TrackOutcome]:
    return list(SongPipeline(engine).run(REQUEST, [3, 9], watch, max_seconds=SECONDS))


def codes(found: list[TrackOutcome]) -> list[np.ndarray]:
    songs = [outcome.result for outcome in found]
    return [song.codes.values for song in songs if isinstance(song, Song)]


def test_its_songs_are_the_native_engines(megatron: MegatronEngine, miniature: Path) -> None:
    expected = codes(outcomes(NativeEngine.open(miniature, device="cpu", dtype="float32"), RecordingWatch()))
    found = codes(outcomes(megatron, RecordingWatch()))
    assert len(found) == 2
    assert all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))
    assert megatron.description.engine == "megatron-core"


@pytest.mark.parametrize("phase", [Phase.BACKBONE, Phase.SUPERRES])
def test_cancelled_tracks_stop_on_all_ranks_and_the_next_job_is_made(megatron: MegatronEngine, phase: Phase) -> None:
    stopped = RecordingWatch(lambda track, heard: any(one.phase is phase and one.fraction > 0 for one in heard))
    assert all(isinstance(outcome.result, Cancelled) for outcome in outcomes(megatron, stopped))
    assert len(codes(outcomes(megatron, RecordingWatch()))) == 2


@pytest.mark.parametrize("megatron", [2], indirect=True)
def test_a_rank_that_has_ended_ends_the_engine(megatron: MegatronEngine) -> None:
    (other,) = multiprocessing.active_children()
    other.kill()
    other.join()
    with pytest.raises(EngineLost, match="have parted"):
        outcomes(megatron, RecordingWatch())


def test_ranks_without_a_gpu_of_their_own_are_refused(miniature: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    with pytest.raises(KhalaError, match="2 ranks from cuda:1 on need a GPU each, and this program sees 2"):
        open_megatron(Opening(checkpoints=miniature, device="cuda:1"), ranks=2)


def test_heads_that_cannot_be_shared_are_refused(miniature: Path) -> None:
    with pytest.raises(KhalaError, match="2 key/value groups cannot be shared by 3 ranks"):
        open_megatron(Opening(checkpoints=miniature, device="cpu"), ranks=3)
