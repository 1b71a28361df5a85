"""Prometheus metrics at /metrics: HTTP requests, refusals and compilations by state.

No label holds a user's name or an id, so /metrics requires no key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator import metrics as http_metrics

from clipmill.protocol import CompilationState
from clipmill_api.database import Database
from clipmill_api.queries import compilation_records

NAMESPACE = "clipmill"
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one API. None is global, so that a process can hold several APIs."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.refusals = Counter(
            "clipmill_refusals",
            "Refused requests by problem code, such as QuotaExceeded or TierLimit.",
            ["code"],
            registry=self.registry,
        )
        self.deleted_blobs = Counter(
            "clipmill_blobs_deleted",
            "Blobs whose bytes were deleted, by the reason why their row was removed.",
            ["reason"],
            registry=self.registry,
        )
        self.store_findings = Gauge(
            "clipmill_store_findings",
            "Blobs by what was wrong at the last daily check: unknown, missing or wrong_size.",
            ["finding"],
            registry=self.registry,
        )
        self.disk_free_bytes = Gauge(
            "clipmill_disk_free_bytes",
            "Free space on the disk of the state folder.",
            registry=self.registry,
        )
        self.disk_floor_bytes = Gauge(
            "clipmill_disk_floor_bytes",
            "Free space below which uploads are refused with DiskFull.",
            registry=self.registry,
        )
        self.blobs_over_limit = Gauge(
            "clipmill_blobs_over_limit",
            "Blobs to delete that the last run left for the next, because of its limit.",
            registry=self.registry,
        )


class CompilationStates(Collector):
    """Compilations by the state of their newest generation, counted on each scrape."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the number of compilations in each state, also where it is 0."""
        with self._db.read() as session:
            counts = compilation_records.count_by_state(session)
        help_text = "Compilations by the state of their newest generation."
        gauge = GaugeMetricFamily("clipmill_compilations", help_text, labels=["state"])
        for state in CompilationState:
            gauge.add_metric([state], counts.get(state.value, 0))
        yield gauge


def install(app: FastAPI, metrics: Metrics, db: Database) -> None:
    """Measure the app's requests, by route pattern, and serve all metrics."""
    metrics.registry.register(CompilationStates(db))
    options: dict[str, Any] = {"metric_namespace": NAMESPACE, "registry": metrics.registry}
    instrumentator = Instrumentator(should_group_status_codes=False, registry=metrics.registry)
    instrumentator.add(
        http_metrics.requests(**options),
        http_metrics.latency(**options, buckets=BUCKETS_S, should_include_status=False),
        http_metrics.request_size(**options, should_include_status=False),
        http_metrics.response_size(**options, should_include_status=False),
    )
    instrumentator.instrument(app).expose(app, include_in_schema=False)
