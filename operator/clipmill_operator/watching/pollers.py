"""Work at intervals: poll the API for progress, and compare the cache with complete lists."""

from __future__ import annotations

import logging
from collections.abc import Callable

from clipmill.protocol import ActiveCompilation
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator import metrics
from clipmill_operator.building.labels import SELECTOR
from clipmill_operator.errors import PermanentKubeError
from clipmill_operator.kube_client import COMPILATION, JOB, POD, SHOW, Kind, KubeClient, ObjectList
from clipmill_operator.reconciling.reconcile_cache import ReconcileCache
from clipmill_operator.reconciling.reconciler import Reconciler
from clipmill_operator.settings import Settings
from clipmill_operator.watching.health import Health
from clipmill_operator.watching.object_cache import ClusterCache, KindCache, T
from clipmill_operator.watching.observed import Key, ObservedShow

log = logging.getLogger(__name__)
# Compilations that one request for the active ones returns at most.
ACTIVE_LIMIT = 2000


class ProgressPoller:
    """Finds Compilations whose progress in the API has changed since their last reconcile."""

    def __init__(
        self,
        api: OperatorCalls,
        cache: ClusterCache,
        states: ReconcileCache,
        clock: Callable[[], float],
    ) -> None:
        self._api, self._cache, self._states, self._clock = api, cache, states, clock

    def __call__(self) -> list[Key]:
        """Send one request. Return the keys to reconcile. Raises ClientError."""
        at, active = self._clock(), self._api.active_compilations(ACTIVE_LIMIT)
        changed = self._states.take_changed(active, at=at, is_complete=len(active) < ACTIVE_LIMIT)
        compilations = self._cache.compilations.all() if changed else []
        return [compilation.key for compilation in compilations if compilation.uid in changed]


class ObjectLists:
    """Complete lists of all objects: at the start, at intervals, and again once one was missed."""

    def __init__(
        self,
        kube: KubeClient,
        cache: ClusterCache,
        settings: Settings,
        health: Health,
        clock: Callable[[], float],
    ) -> None:
        self._kube, self._cache = kube, cache
        self._settings, self._health, self._clock = settings, health, clock
        self._due_at, self._is_primed = float("-inf"), False

    def __call__(self) -> list[ObservedShow]:
        """Fill the cache if lists are due. Return Shows that have changed. Raises KubeError."""
        listed_at = self._clock()
        if listed_at < self._due_at:
            return []
        shows = self._list(SHOW, self._cache.shows)
        missed = {
            "compilations": len(self._list(COMPILATION, self._cache.compilations)),
            "shows": len(shows),
            "jobs": len(self._list(JOB, self._cache.jobs, SELECTOR)),
            "pods": len(self._list(POD, self._cache.pods, SELECTOR)),
        }
        is_missed = self._is_primed and any(missed.values())
        # Before the first list no watch could have reported anything.
        if self._is_primed:
            self._health.record_lists(missed)
            metrics.MISSED_EVENTS.inc(sum(missed.values()))
        self._is_primed = True
        self._due_at = listed_at + (0 if is_missed else self._settings.list_s)
        return shows

    def _list(self, kind: Kind, objects: KindCache[T], selector: str = "") -> list[T]:
        namespaces = self._settings.watch_namespaces or ("",)
        lists = [self._kube.list_objects(kind, name, selector) for name in namespaces]
        items = [body for listed in lists for body in listed.items]
        oldest = min(listed.resource_version for listed in lists)
        return objects.resync(ObjectList(items, oldest))


class Resync:
    """Checks all objects, and cancels at the API what has no resource any more."""

    def __init__(
        self,
        kube: KubeClient,
        api: OperatorCalls,
        cache: ClusterCache,
        health: Health,
        reconciler: Reconciler,
        lists: ObjectLists,
    ) -> None:
        self._kube, self._api, self._cache = kube, api, cache
        self._health, self._reconciler, self._lists = health, reconciler, lists

    def __call__(self) -> list[Key]:
        """Return the keys to reconcile. Raises KubeError.

        Those are the Compilations that a reconcile may change, and Shows of which no watch has
        reported a change.
        """
        shows = self._lists()
        self._health.record_resync()
        is_settled = self._reconciler.is_settled
        compilations = [each.key for each in self._cache.compilations.all() if not is_settled(each)]
        return compilations + [show.queue_key for show in shows]

    def cancel_orphans(self) -> None:
        """Cancel compilations whose resource was deleted. Raises KubeError, ClientError."""
        uids = {compilation.uid for compilation in self._cache.compilations.all()}
        orphans = [
            active
            for active in self._api.active_compilations(ACTIVE_LIMIT)
            if active.uid not in uids
        ]
        # A submission whose resource is still to be created is no orphan.
        pending = {submission.id for submission in self._api.submissions()} if orphans else set()
        for active in orphans:
            if active.id not in pending and self._is_deleted(active):
                log.info("cancel uid=%s key=%s/%s", active.uid, active.namespace, active.name)
                self._reconciler.cancel(active.uid)

    def _is_deleted(self, active: ActiveCompilation) -> bool:
        try:
            body = self._kube.get(COMPILATION, active.namespace, active.name)
        except PermanentKubeError:
            return False
        return body is None or body["metadata"]["uid"] != active.uid
