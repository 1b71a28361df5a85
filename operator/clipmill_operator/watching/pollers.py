"""What is done at intervals: ask the API what moved, and compare everything afresh."""

from __future__ import annotations

import logging
from collections.abc import Callable

from clipmill.protocol import Active
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator import metrics
from clipmill_operator.building.builders import SELECTOR
from clipmill_operator.kube import COMPILATION, JOB, POD, Kind, Kube, KubeRefused, Listed
from clipmill_operator.reconciling.reconcile_state import Standings
from clipmill_operator.settings import Settings
from clipmill_operator.watching.health import Health
from clipmill_operator.watching.object_cache import Cache, Key, Store, T

log = logging.getLogger(__name__)
MOST = 2000
"""Compilations that one poll asks for."""
Gone = Callable[[str], None]


class Poll:
    """Asks the API in one call which compilations moved since they were looked at."""

    def __init__(self, api: OperatorCalls, cache: Cache, standings: Standings) -> None:
        self._api, self._cache, self._standings = api, cache, standings

    def __call__(self) -> list[Key]:
        """The resources to be looked at. Raises ClientError."""
        changed = self._standings.moved(self._api.active(MOST))
        wishes = self._cache.wishes.all() if changed else []
        return [(w.namespace, w.name) for w in wishes if w.uid in changed]


class Resync:
    """Lists everything; finds what no watch told, and what the API holds that is no more."""

    def __init__(
        self,
        kube: Kube,
        api: OperatorCalls,
        cache: Cache,
        settings: Settings,
        health: Health,
        gone: Gone,
    ) -> None:
        self._kube, self._api, self._cache = kube, api, cache
        self._settings, self._health, self._gone = settings, health, gone
        self._primed = False

    def __call__(self) -> list[Key]:
        """All resources there are. Raises KubeError, ClientError."""
        missed = {
            "compilations": self._list(COMPILATION, self._cache.wishes),
            "jobs": self._list(JOB, self._cache.jobs, SELECTOR),
            "pods": self._list(POD, self._cache.pods, SELECTOR),
        }
        if self._primed:
            self._health.resynced(missed)
            metrics.MISSED.inc(sum(missed.values()))
        else:
            self._health.resynced({})
        self._primed = True
        return [(wish.namespace, wish.name) for wish in self._cache.wishes.all()]

    def _list(self, kind: Kind, store: Store[T], selector: str = "") -> int:
        spaces = self._settings.watch_namespaces or ("",)
        lists = [self._kube.all_of(kind, space, selector) for space in spaces]
        items = [item for listed in lists for item in listed.items]
        return len(store.resync(Listed(items, min(listed.version for listed in lists))))

    def sweep(self) -> None:
        """End at the API what has no resource any more. Raises KubeError, ClientError."""
        known = {wish.uid for wish in self._cache.wishes.all()}
        odd = [one for one in self._api.active(MOST) if one.uid not in known]
        # One that is still to become a resource, for the first time or again, is not gone.
        asked = {one.id for one in self._api.submissions()} if odd else set()
        for one in odd:
            if one.id not in asked and self._is_gone(one):
                log.info("gone uid=%s namespace=%s name=%s", one.uid, one.namespace, one.name)
                self._gone(one.uid)

    def _is_gone(self, one: Active) -> bool:
        try:
            found = self._kube.get(COMPILATION, one.namespace, one.name)
        except KubeRefused:
            return False
        return found is None or found["metadata"]["uid"] != one.uid
