"""Prometheus metrics of the operator, in the default registry of prometheus_client."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

RECONCILE_DURATION = Histogram(
    "clipmill_operator_reconcile_duration_seconds", "Duration of one reconcile of one resource"
)
RECONCILE_ERRORS = Counter(
    "clipmill_operator_reconcile_errors", "Failed reconciles, by class of the error", ["error"]
)
ACTIONS = Counter("clipmill_operator_actions", "Executed actions, by kind", ["action"])
STATUS_WRITES = Counter(
    "clipmill_operator_status_writes", "Writes of the status of a Compilation or Show"
)
API_ERRORS = Counter("clipmill_operator_api_errors", "Failed requests to the Clipmill API")
RUNNING = Gauge("clipmill_operator_running", "Compilations that have pods")
QUEUED = Gauge("clipmill_operator_queued", "Compilations that wait for their admission")
MISSED_EVENTS = Counter(
    "clipmill_operator_missed_watch_events", "Changes found by a resync and reported by no watch"
)
KUBERNETES_REQUESTS = Counter(
    "clipmill_operator_kubernetes_requests",
    "Requests to the Kubernetes API server, without those of the watches",
)
