"""Figures for Prometheus. Their registry is the process's, as its exporter has it."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

LOOKS = Histogram("clipmill_operator_look_seconds", "Time of one look at one resource")
FAILURES = Counter("clipmill_operator_look_failures", "Looks that will be tried again", ["error"])
ACTIONS = Counter("clipmill_operator_actions", "What was done, by kind", ["action"])
STATUS_WRITES = Counter("clipmill_operator_status_writes", "Statuses written")
API_ERRORS = Counter("clipmill_operator_api_errors", "Answers of the Clipmill API that failed")
RUNNING = Gauge("clipmill_operator_running", "Compilations with pods")
QUEUED = Gauge("clipmill_operator_queued", "Compilations that wait for a place")
MISSED = Counter("clipmill_operator_missed", "Changes that a resync found and no watch had told")
REQUESTS = Gauge("clipmill_operator_kubernetes_requests", "Requests sent, watches not counted")
