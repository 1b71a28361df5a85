"""Whose a namespace is, by its label: asked at most once a minute."""

from __future__ import annotations

from collections.abc import Callable

from clipmill_operator.building.builders import OWNER
from clipmill_operator.kube import NAMESPACE, Kube

KEPT_S = 60.0


class Namespaces:
    """The owners of namespaces."""

    def __init__(self, kube: Kube, clock: Callable[[], float]) -> None:
        self._kube, self._clock = kube, clock
        self._known: dict[str, tuple[float, str | None]] = {}

    def owner(self, namespace: str) -> str | None:
        """The owner's name; None: the namespace is nobody's. Raises KubeError."""
        at, label = self._known.get(namespace, (float("-inf"), None))
        if self._clock() - at < KEPT_S:
            return label
        found = self._kube.get(NAMESPACE, "", namespace)
        label = ((found or {}).get("metadata", {}).get("labels") or {}).get(OWNER)
        self._known[namespace] = (self._clock(), label)
        return label
