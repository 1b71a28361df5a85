"""Prometheus metrics at /metrics: HTTP requests, refusals, compilations, webhooks and the disk.

No label holds a user's name or an id, so /metrics requires no key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator import metrics as http_metrics

from clipmill.protocol import ISOLATION_FAILURES, TERMINAL_STATES, CompilationState
from clipmill_api.database import Database
from clipmill_api.queries import compilation_records, revisions
from clipmill_api.queries.integrations import webhook_rows

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
        self.ended = Counter(
            "clipmill_generations_ended",
            "Generations that ended, by their terminal state.",
            ["state"],
            registry=self.registry,
        )
        self.isolation_failures = Counter(
            "clipmill_isolation_failures",
            "Generations and episodes that failed because no NetworkPolicy isolated their pods.",
            ["reason"],
            registry=self.registry,
        )
        self.deliveries = Counter(
            "clipmill_webhook_deliveries",
            "Attempts to deliver a notification, by result: delivered or failed.",
            ["result"],
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

        self._start_at_zero()

    def _start_at_zero(self) -> None:
        """Serve known labels from the start: a rate does not count the first sample of a series."""
        for state in TERMINAL_STATES:
            self.ended.labels(state)
        for reason in ISOLATION_FAILURES:
            self.isolation_failures.labels(reason)
        for result in ("delivered", "failed"):
            self.deliveries.labels(result)


class StoredStates(Collector):
    """What the database says on each scrape; several API pods report the same."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each gauge, also where it is 0."""
        with self._db.read() as session:
            counts = compilation_records.count_by_state(session)
            webhooks = webhook_rows.count_by_health(session)
            waiting = revisions.oldest_waiting(session)
            stalled = revisions.oldest_progress(session)
        yield _by_label(
            "clipmill_compilations",
            "Compilations by the state of their newest generation.",
            "state",
            {state: counts.get(state.value, 0) for state in CompilationState},
        )
        yield _by_label(
            "clipmill_webhooks",
            "Webhooks by health: working, failing (since their last success) or disabled.",
            "health",
            webhooks,
        )
        yield GaugeMetricFamily(
            "clipmill_queue_oldest_seconds",
            "Age of the oldest active generation of which no job has claimed a task.",
            self._age_s(waiting),
        )
        yield GaugeMetricFamily(
            "clipmill_progress_oldest_seconds",
            "Longest time since an active generation with a claimed task last made progress.",
            self._age_s(stalled),
        )

    def _age_s(self, since: datetime | None) -> float:
        return max(0.0, (self._clock() - since).total_seconds()) if since else 0.0


def _by_label(
    name: str, description: str, label: str, counts: Mapping[str, int]
) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, description, labels=[label])
    for value, count in counts.items():
        gauge.add_metric([value], count)
    return gauge


def install(app: FastAPI, metrics: Metrics, db: Database, clock: Callable[[], datetime]) -> None:
    """Measure the app's requests, by route pattern, and serve all metrics."""
    metrics.registry.register(StoredStates(db, clock))
    options: dict[str, Any] = {"metric_namespace": NAMESPACE, "registry": metrics.registry}
    instrumentator = Instrumentator(should_group_status_codes=False, registry=metrics.registry)
    instrumentator.add(
        http_metrics.requests(**options),
        http_metrics.latency(**options, buckets=BUCKETS_S, should_include_status=False),
        http_metrics.request_size(**options, should_include_status=False),
        http_metrics.response_size(**options, should_include_status=False),
    )
    instrumentator.instrument(app).expose(app, include_in_schema=False)
