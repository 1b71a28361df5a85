"""Run the operator: `python -m clipmill_operator`, configured by environment variables."""

from __future__ import annotations

import gc
import logging
import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client import start_http_server

from clipmill import fault_points
from clipmill.environment import InvalidSettings
from clipmill.json_logs import log_handler
from clipmill.process_privacy import forbid_inspection
from clipmill_client.certificate_trust import ApiTrust
from clipmill_client.client import Client
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator.api_authorities import api_trust
from clipmill_operator.kube_client import KubeClient
from clipmill_operator.queueing.queue_poller import QueuePoller
from clipmill_operator.reconciling.job_writer import JobWriter
from clipmill_operator.reconciling.operator_spans import OperatorSpans
from clipmill_operator.reconciling.reconciler import Reconciler
from clipmill_operator.reconciling.status_writer import StatusWriter
from clipmill_operator.reconciling.submission_sync import SubmissionSync
from clipmill_operator.settings import Settings
from clipmill_operator.shows.discover_jobs import DiscoverJobs
from clipmill_operator.shows.show_controller import ShowController
from clipmill_operator.shows.show_memory import ShowMemory
from clipmill_operator.shows.show_registrar import ShowRegistrar
from clipmill_operator.watching import watches
from clipmill_operator.watching.control_loop import ControlLoop
from clipmill_operator.watching.health import Health
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.pollers import ObjectLists, ProgressPoller, Resync
from clipmill_tracing import SpanExport, open_span_export

EXIT_INVALID_SETTINGS = 2
# Each watch event and each response creates hundreds of objects, and hardly a cycle of references.
GC_THRESHOLDS = (10_000, 20, 20)
# Attempts per call to the API: the work queue retries too, and a worker must not be blocked.
API_ATTEMPTS = 2


def create_loop(
    settings: Settings,
    kube: KubeClient,
    health: Health,
    trust: ApiTrust | None = None,
    span_export: SpanExport | None = None,
) -> ControlLoop:
    """Create the control loop and everything that it calls."""
    key = settings.operator_key
    api = Client(settings.api_url, key, attempts=API_ATTEMPTS, trust=trust).operator
    cache = ClusterCache()
    reconciler = Reconciler(
        kube,
        api,
        cache,
        settings,
        clock=time.monotonic,
        spans=OperatorSpans(span_export),
    )
    lists = ObjectLists(kube, cache, settings, health, time.monotonic)
    return ControlLoop(
        cache=cache,
        shows=_create_shows(settings, kube, api, cache, reconciler),
        reconciler=reconciler,
        poller=ProgressPoller(api, cache, reconciler.states, time.monotonic),
        resync=Resync(kube, api, cache, health, reconciler, lists),
        submissions=SubmissionSync(
            kube,
            api,
            cache,
            reconciler.namespaces,
            settings,
            reconciler.states.invalidate_registration,
        ),
        queues=QueuePoller(kube, api, cache, reconciler.admissions, settings, time.monotonic),
        settings=settings,
        health=health,
    )


def _create_shows(
    settings: Settings,
    kube: KubeClient,
    api: OperatorCalls,
    cache: ClusterCache,
    reconciler: Reconciler,
) -> ShowController:
    memory = ShowMemory()
    jobs = JobWriter(kube, cache, settings)
    policies = reconciler.network_policies
    return ShowController(
        kube=kube,
        api=api,
        cache=cache,
        memory=memory,
        registrar=ShowRegistrar(api, reconciler.namespaces, memory, settings),
        discovery=DiscoverJobs(api, jobs, policies, settings, time.monotonic),
        writer=StatusWriter(kube, cache),
        clock=time.monotonic,
        now=lambda: datetime.now(UTC),
    )


def _spare_garbage_collection() -> None:
    """Exclude what exists by now, and stays until the end, from collections; make them rarer."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.collect()
    gc.freeze()


def main(environ: Mapping[str, str]) -> int:
    """Run the operator until a signal ends it. Return the exit code."""
    try:
        fault_points.load(environ)
        settings = Settings.from_environ(environ)
        trust = api_trust(settings)
    except InvalidSettings as error:
        sys.stderr.write(f"clipmill-operator: {error}\n")
        return EXIT_INVALID_SETTINGS
    logging.basicConfig(handlers=[log_handler(settings.log_format)])
    logging.getLogger("clipmill_operator").setLevel(logging.INFO)
    start_http_server(settings.metrics_port)
    health = Health(settings.resync_s, time.monotonic)
    kube = KubeClient.connect(settings.workers + 4)
    span_export = open_span_export(settings.otlp_endpoint, version("clipmill"))
    loop = create_loop(settings, kube, health, trust, span_export)
    _spare_garbage_collection()
    watches.run(settings, loop, health)
    if span_export:
        span_export.close()
    return 0


if __name__ == "__main__":
    forbid_inspection()
    sys.exit(main(os.environ))
