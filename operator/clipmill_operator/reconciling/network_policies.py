"""NetworkPolicies of job pods: applied in a namespace before its first pod, and after a change."""

from __future__ import annotations

from threading import Lock

from clipmill_operator.building import policy_objects
from clipmill_operator.kube_client import KubeClient
from clipmill_operator.settings import Settings


class NetworkPolicies:
    """Remembers the namespaces in which the policies are applied. Safe for several threads."""

    def __init__(self, kube: KubeClient, settings: Settings) -> None:
        self._kube, self._settings = kube, settings
        self._applied: set[str] = set()
        self._lock = Lock()

    def ensure(self, namespace: str) -> None:
        """Apply the policies in a namespace unless they are applied. Raises KubeError."""
        if not self._settings.network_policies or namespace in self._applied:
            return
        for policy in policy_objects.network_policies(namespace, self._settings):
            self._kube.apply(policy)
        with self._lock:
            self._applied.add(namespace)

    def invalidate(self, namespace: str) -> bool:
        """Forget that the policies are applied, after one has changed. Return whether they were."""
        with self._lock:
            was_applied = namespace in self._applied
            self._applied.discard(namespace)
        return was_applied
