"""A client of Khala's API, typed from the server's own schemas.

    from backend.client import Khala

    with Khala("http://127.0.0.1:8889") as khala:
        job = khala.submit(tags="Jazz, Piano", mode="instrumental", duration=1)
        job = khala.wait(job.job_id, on_progress=lambda job: print(job.tracks[0].phase_display))
        paths = khala.download(job, "songs")

``AsyncKhala`` has the same methods as coroutines.
"""

from backend.client.asynchronous import AsyncKhala
from backend.client.synchronous import Khala
from backend.client.wire import Refused, Unreachable

__all__ = ["AsyncKhala", "Khala", "Refused", "Unreachable"]
