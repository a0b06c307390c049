"""What Prometheus may know: counts and times, no names."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which several workers add their metrics up; set before this module is imported."""


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mien_requests", "Requests by route and status", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "mien_request_seconds",
            "Time from a request's head to the end of its answer",
            ("route",),
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )
        self.working = Gauge(
            "mien_requests_in_work", "Requests in work", registry=self.registry, multiprocess_mode="livesum"
        )
        self.waiting = Gauge(
            "mien_photos_waiting",
            "Photos that wait to be looked at",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.batches = Histogram(
            "mien_batch_photos", "Photos looked at together", buckets=(1, 2, 4, 8), registry=self.registry
        )
        self.faces = Counter("mien_faces", "Faces found", registry=self.registry)

    def text(self) -> bytes:
        """All metrics in Prometheus' text form; of all workers together when there are several."""
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def worker_ended() -> None:
    """Take this worker's gauges out of the sum."""
    if SHARED_FOLDER in os.environ:
        mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]
