"""How long a song may last, and how many are written together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import Cancelled
from core.pipeline import MAX_NEW_TOKENS, Song, SongPipeline
from core.request import GenerationRequest
from core.token_layout import COARSE_LAYERS
from tests.fakes.engine import FakeEngine
from tests.fakes.watch import RecordingWatch


@pytest.mark.parametrize(
    ("longest", "written", "expected"),
    [
        (1.3, 100, 100),
        (1.3, 9_000, int(1.3 * 60 * 44_100 / 2_048)),
        (None, 9_000, 9_000),
        (None, 99_000, MAX_NEW_TOKENS // COARSE_LAYERS),
    ],
)
def test_a_song_that_goes_on_and_on_is_cut_where_its_checkpoint_says_and_says_so(
    longest: float | None, written: int, expected: int
) -> None:
    engine = FakeEngine(frames=written)
    engine.description = replace(engine.description, longest=longest)
    (outcome,) = SongPipeline(engine).run(GenerationRequest(tags="Jazz", duration_minutes=1), [1], RecordingWatch())
    assert isinstance(outcome.result, Song)
    assert outcome.result.codes.num_frames == expected
    assert outcome.result.is_cut == (written > expected)


@pytest.mark.parametrize(("together", "batches"), [(None, [[1, 2, 3]]), (1, [[1], [2], [3]]), (2, [[1, 2], [3]])])
def test_so_many_tracks_are_written_together_and_none_is_taken_for_another(
    together: int | None, batches: list[list[int]]
) -> None:
    engine, watch = FakeEngine(), RecordingWatch(lambda track, heard: track == 1)
    outcomes = SongPipeline(engine, tracks_at_once=together).run(GenerationRequest(tags="Jazz"), [1, 2, 3], watch)
    songs = {outcome.track: outcome.result for outcome in outcomes}
    assert engine.batches == batches
    assert isinstance(songs.pop(1), Cancelled)
    for track, song in songs.items():
        (alone,) = SongPipeline(FakeEngine()).run(GenerationRequest(tags="Jazz"), [track + 1], RecordingWatch())
        assert isinstance(song, Song) and isinstance(alone.result, Song)
        assert np.array_equal(song.codes.values, alone.result.codes.values)
