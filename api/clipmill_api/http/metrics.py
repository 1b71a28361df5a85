"""What Prometheus reads at /metrics: requests, durations, bytes, refusals, compilations by state.

No name of a user and no id is in it, so it needs no key; routes are counted by their pattern.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipmill.protocol import CompilationState
from clipmill_api.database import Database
from clipmill_api.queries import revisions

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The numbers of one API; nothing is global."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "clipmill_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "clipmill_request_seconds",
            "Time until the answer was sent.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.bytes = Counter(
            "clipmill_body_bytes",
            "Bytes of bodies received and sent.",
            ["direction"],
            registry=self.registry,
        )
        self.refusals = Counter(
            "clipmill_refusals",
            "Requests refused, by code (QuotaExceeded, StorageQuotaExceeded, TierLimit, ...).",
            ["code"],
            registry=self.registry,
        )


class States(Collector):
    """Compilations by the state of their newest generation, counted when asked."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One number for each state, also where it is 0."""
        with self._db.read() as session:
            counted = revisions.count_by_state(session)
        gauge = GaugeMetricFamily("clipmill_compilations", "Compilations.", labels=["state"])
        for state in CompilationState:
            gauge.add_metric([state], counted.get(state.value, 0))
        yield gauge


class Measure:
    """ASGI middleware: counts and times what passes."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        received, sent = self.metrics.bytes.labels("in"), self.metrics.bytes.labels("out")

        async def inward() -> Message:
            message = await receive()
            received.inc(len(message.get("body", b"")))
            return message

        async def outward(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            sent.inc(len(message.get("body", b"")))
            await send(message)

        try:
            await self.app(scope, inward, outward)
        finally:
            method, route = scope["method"], getattr(scope.get("route"), "path", "none")
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.seconds.labels(method, route).observe(time.perf_counter() - began)


def install(app: FastAPI, metrics: Metrics, db: Database) -> None:
    """Count what the app answers, and serve the numbers."""
    metrics.registry.register(States(db))
    app.add_middleware(Measure, metrics=metrics)

    def read() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    app.get("/metrics", include_in_schema=False)(read)
