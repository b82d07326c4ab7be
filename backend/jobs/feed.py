"""Who waits for news of a job hears of it: dispatcher and service say that one changed, streams and batches wait.

Lives in the event loop and knows nothing of the store; what is said here is only that looking again is worth it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class JobFeed:
    """News of jobs, by id; ``news`` counts all there ever were."""

    def __init__(self) -> None:
        self.closed = False
        self.news = 0
        self._listening: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def close(self) -> None:
        """There will be no more news: whoever listens is woken once more, and should leave."""
        self.closed = True
        for job_id in list(self._listening):
            self.changed(job_id)

    def changed(self, job_id: str) -> None:
        """Wake everybody who listens for this job."""
        self.news += 1
        for news in self._listening.get(job_id, ()):
            news.set()

    @contextmanager
    def listening(self, job_id: str) -> Iterator[asyncio.Event]:
        """An event that is set when the job changes. Clear it before looking, so that no change is missed."""
        news = asyncio.Event()
        self._listening[job_id].add(news)
        try:
            yield news
        finally:
            self._listening[job_id].discard(news)
            if not self._listening[job_id]:
                del self._listening[job_id]
