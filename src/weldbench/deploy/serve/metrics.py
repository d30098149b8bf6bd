"""What the server counts, for Prometheus."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import Scope

_PATHS = frozenset({"/", "/docs", "/healthz", "/metrics", "/readyz", "/v1/model", "/v1/predict", "/v1/predict/batch"})
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """The counters of one server.

    Attributes:
        accepted: Requests that are being read, wait or are computed.
        frames: Judged, by class and decision.
        unreadable: Pictures that could not be judged.
        drift_welds: Batches that the drift check has compared.
        drift_changed: Whether it finds a change now.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.accepted = Gauge("weldbench_requests_accepted", "Requests at work.", registry=self._registry)
        self.frames = Counter("weldbench_frames", "Frames judged.", ["class", "decision"], registry=self._registry)
        self.unreadable = Counter("weldbench_unreadable", "Pictures not judged.", registry=self._registry)
        self.drift_welds = Gauge("weldbench_drift_welds", "Welds compared with training.", registry=self._registry)
        self.drift_changed = Gauge(
            "weldbench_drift_changed", "1 while camera or process are not as in training.", registry=self._registry
        )
        self._requests = Counter(
            "weldbench_requests", "Requests answered.", ["method", "path", "status"], registry=self._registry
        )
        self._cut = Counter("weldbench_requests_cut", "Requests whose client went away.", registry=self._registry)
        self._seconds = Histogram(
            "weldbench_request_seconds", "From head to answer.", ["path"], buckets=_SECONDS, registry=self._registry
        )

    @contextmanager
    def observed(self, scope: Scope) -> Iterator[Callable[[int], None]]:
        """Count one request: the block calls what it is given with the status of the answer."""
        # Of whatever else clients ask for, one line is kept.
        path = scope["path"] if scope["path"] in _PATHS else "other"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        start = time.perf_counter()
        statuses: list[int] = []
        try:
            yield statuses.append
        finally:
            if statuses:
                self._requests.labels(method, path, str(statuses[-1])).inc()
                self._seconds.labels(path).observe(time.perf_counter() - start)
            else:
                self._cut.inc()

    def text(self) -> bytes:
        """Return all of it in the text format of Prometheus."""
        return generate_latest(self._registry)
