"""The job NetworkPolicies: in each namespace before its first pod, and again when changed."""

from __future__ import annotations

from threading import Lock

from clipmill_operator.building.builders import policies
from clipmill_operator.kube import Kube
from clipmill_operator.settings import Settings


class Isolation:
    """Which namespaces have their policies."""

    def __init__(self, kube: Kube, settings: Settings) -> None:
        self._kube, self._settings = kube, settings
        self._done: set[str] = set()
        self._lock = Lock()

    def ensure(self, namespace: str) -> None:
        """The policies are in force once this returns, as far as the API server says."""
        if not self._settings.network_policies or namespace in self._done:
            return
        for policy in policies(namespace, self._settings):
            self._kube.apply(policy)
        with self._lock:
            self._done.add(namespace)

    def changed(self, namespace: str) -> bool:
        """A policy of ours changed. True: it had been applied, and is to be again."""
        with self._lock:
            known = namespace in self._done
            self._done.discard(namespace)
        return known
