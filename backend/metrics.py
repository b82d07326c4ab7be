"""What the system counts and measures of itself, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from backend.jobs.store import JobCounts
from core.progress import Phase, Progress

_PHASE_BUCKETS = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
WORKER_STATES = ("offline", "idle", "busy")


class Metrics:
    """Every metric, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._jobs = Gauge("khala_jobs", "Jobs that have not ended.", ["state"], registry=self._registry)
        self._workers = Gauge("khala_workers", "Workers by state.", ["state"], registry=self._registry)
        self._phases = Histogram(
            "khala_phase_seconds",
            "How long tracks spend in each phase.",
            ["phase"],
            buckets=_PHASE_BUCKETS,
            registry=self._registry,
        )
        self._speed = Gauge(
            "khala_backbone_tokens_per_second", "Speed of the backbone, as last reported.", registry=self._registry
        )
        self._tracks = Counter(
            "khala_tracks_ended", "Attempts at tracks, by how they ended.", ["outcome"], registry=self._registry
        )

    def progress(self, progress: Progress) -> None:
        """A track was heard of."""
        if progress.tokens_per_second:
            self._speed.set(progress.tokens_per_second)

    def phase_ended(self, phase: Phase, seconds: float) -> None:
        """A track has left a phase."""
        self._phases.labels(phase.value).observe(seconds)

    def track_ended(self, outcome: str) -> None:
        """An attempt at a track is over: done, failed, cancelled, or why its worker was lost."""
        self._tracks.labels(outcome).inc()

    def exposition(self, counts: JobCounts, workers: dict[str, int]) -> bytes:
        """Everything, in Prometheus' text format, with the state of the moment."""
        self._jobs.labels("queued").set(counts.queued)
        self._jobs.labels("active").set(counts.active)
        for state in WORKER_STATES:
            self._workers.labels(state).set(workers.get(state, 0))
        return generate_latest(self._registry)
