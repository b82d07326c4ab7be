"""What is kept of ended jobs, and what settings let go."""

from __future__ import annotations

from pathlib import Path

from tests.backend.jobs import claim, finish
from tests.backend.studio import Studio, reception
from tests.backend.test_history_api import listed


def make(running: Studio, size: int) -> None:
    """Finish the next track in the queue, with a WAV of so many bytes."""
    (track,) = claim(running.backend.database).tracks
    running.backend.artifacts.path(f"{track.file_id}.wav").write_bytes(bytes(size))
    finish(running.backend.database, track.file_id)


async def test_old_jobs_go_where_settings_say_so_and_favourites_stay(tmp_path: Path) -> None:
    async with reception(tmp_path, jobs={"keep_gb": 1e-9}) as running:
        loved, _, waiting = [await running.submit(num_tracks=1) for _ in range(3)]
        await running.api.patch(f"/job/{loved}", json={"favourite": True})
        for _ in range(2):
            make(running, 100)
        running.backend.housekeeping.remove_old_jobs()
        await running.backend.housekeeping.remove_discarded()

        assert await listed(running) == [waiting, loved]
    assert len(list((tmp_path / "audio").iterdir())) == 1


async def test_a_budget_is_for_songs_alone_and_favourites_do_not_use_it_up(tmp_path: Path) -> None:
    async with reception(tmp_path, jobs={"keep_gb": 250e-9}) as running:
        jobs = [await running.submit(num_tracks=1) for _ in range(4)]
        await running.api.patch(f"/job/{jobs[0]}", json={"favourite": True})
        (tmp_path / "audio" / "holiday.mp4").write_bytes(bytes(5000))
        for size in (1000, 100, 100):
            make(running, size)
        running.backend.housekeeping.remove_old_jobs()
        assert await listed(running) == jobs[::-1], "200 bytes of songs fit into 250"

        make(running, 100)
        running.backend.housekeeping.remove_old_jobs()
        assert await listed(running) == [jobs[3], jobs[2], jobs[0]]


async def test_by_default_everything_is_kept(tmp_path: Path) -> None:
    async with reception(tmp_path) as running:
        job_id = await running.submit()
        await running.api.delete(f"/job/{job_id}")
        running.backend.housekeeping.remove_old_jobs()

        assert await listed(running) == [job_id]
