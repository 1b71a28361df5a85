"""Polls what queues depend on: recent usage of owners, and Workloads of suspended Jobs.

Nothing is requested while nothing waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

from clipmill_client.errors import ClientError
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator.errors import KubeError
from clipmill_operator.kube_client import WORKLOAD, KubeClient
from clipmill_operator.queueing.admission_queue import AdmissionQueue
from clipmill_operator.queueing.observed_workload import JOB_UID, ObservedWorkload
from clipmill_operator.settings import Settings
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import Key, ObservedJob

log = logging.getLogger(__name__)
USAGE_EVERY_S = 30.0
# Jobs of one request: their uids are in its URL.
MAX_JOBS = 50


class QueuePoller:
    """Requests usage and Workloads. Used by one thread."""

    def __init__(
        self,
        kube: KubeClient,
        api: OperatorCalls,
        cache: ClusterCache,
        queue: AdmissionQueue,
        settings: Settings,
        clock: Callable[[], float],
    ) -> None:
        self._kube, self._api, self._cache = kube, api, cache
        self._queue, self._settings, self._clock = queue, settings, clock
        self._known: set[str] = set()
        self._usage_at = float("-inf")

    def __call__(self) -> list[Key]:
        """Return the keys of Compilations whose reason to wait has changed. A failure is logged."""
        try:
            self._poll_usage()
        except ClientError as error:
            log.warning("usage of owners error=%s", error)
        try:
            return self._poll_workloads() if self._settings.kueue else []
        except KubeError as error:
            log.warning("workloads of Kueue error=%s", error)
            return []

    def _poll_usage(self) -> None:
        owners = self._queue.waiting_owners()
        is_fresh = self._clock() - self._usage_at < USAGE_EVERY_S
        if not owners or (is_fresh and owners <= self._known):
            return
        self._queue.set_usage(self._api.recent_usage(sorted(owners)))
        self._known, self._usage_at = owners, self._clock()

    def _poll_workloads(self) -> list[Key]:
        jobs = [job for job in self._cache.jobs.all() if job.waits_in_queue]
        changed = self._cache.workloads.replace(list(self._workloads(jobs)))
        uids = {job.compilation_uid for job in jobs if job.uid in changed}
        compilations = self._cache.compilations.all() if uids else []
        return [compilation.key for compilation in compilations if compilation.uid in uids]

    def _workloads(self, jobs: list[ObservedJob]) -> Iterator[ObservedWorkload]:
        by_namespace: dict[str, list[str]] = {}
        for job in jobs:
            # With rights in some namespaces only, no list of all of them is allowed.
            namespace = job.namespace if self._settings.watch_namespaces else ""
            by_namespace.setdefault(namespace, []).append(job.uid)
        for namespace, uids in by_namespace.items():
            for some in _chunks(sorted(uids)):
                selector = f"{JOB_UID} in ({','.join(some)})"
                for body in self._kube.list_objects(WORKLOAD, namespace, selector).items:
                    yield ObservedWorkload.from_body(body)


def _chunks(uids: list[str]) -> Iterable[list[str]]:
    return (uids[start : start + MAX_JOBS] for start in range(0, len(uids), MAX_JOBS))
