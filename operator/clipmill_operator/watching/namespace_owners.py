"""Owners of namespaces, by the label `clipmill.dev/owner`."""

from __future__ import annotations

from collections.abc import Callable

from clipmill_operator.building.labels import OWNER
from clipmill_operator.kube_client import NAMESPACE, KubeClient

CACHED_FOR_S = 60.0


class NamespaceOwners:
    """Reads the owners of namespaces and caches each for a minute."""

    def __init__(self, kube: KubeClient, clock: Callable[[], float]) -> None:
        self._kube, self._clock = kube, clock
        self._cached: dict[str, tuple[float, str | None]] = {}

    def owner(self, namespace: str, *, fresh: bool = False) -> str | None:
        """Return the owner of a namespace, or None if it has no label. Raises KubeError.

        With `fresh` the label is read now: whatever decides whose quota is used needs that.
        """
        read_at, owner = self._cached.get(namespace, (float("-inf"), None))
        if not fresh and self._clock() - read_at < CACHED_FOR_S:
            return owner
        body = self._kube.get(NAMESPACE, "", namespace) or {}
        owner = (body.get("metadata", {}).get("labels") or {}).get(OWNER)
        self._cached[namespace] = (self._clock(), owner)
        return owner
