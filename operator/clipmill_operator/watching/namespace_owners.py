"""Owners of namespaces, by the label `clipmill.dev/owner`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from threading import Lock

from clipmill_operator.building.labels import OWNER
from clipmill_operator.kube_client import NAMESPACE, KubeClient

CACHED_FOR_S = 60.0


@dataclass(slots=True)
class _Reading:
    """The newest read of one namespace: its number, its time and the owner."""

    number: int = -1
    read_at: float = float("-inf")
    owner: str | None = None
    lock: Lock = field(default_factory=Lock)


class NamespaceOwners:
    """Reads the owners of namespaces and caches each for a minute. Safe for several threads."""

    def __init__(self, kube: KubeClient, clock: Callable[[], float]) -> None:
        self._kube, self._clock = kube, clock
        self._numbers = count()
        self._readings: dict[str, _Reading] = {}

    def owner(self, namespace: str, *, fresh: bool = False) -> str | None:
        """Return the owner of a namespace, or None if it has no label. Raises KubeError.

        With `fresh` the label is read now: whatever decides whose quota is used needs that. Calls
        at the same time share a read, if it begins after all of them.
        """
        reading = self._readings.setdefault(namespace, _Reading())
        if not fresh and self._clock() - reading.read_at < CACHED_FOR_S:
            return reading.owner
        called = next(self._numbers)
        with reading.lock:
            if reading.number < called:
                self._read(namespace, reading)
            return reading.owner

    def _read(self, namespace: str, reading: _Reading) -> None:
        number, read_at = next(self._numbers), self._clock()
        body = self._kube.get(NAMESPACE, "", namespace) or {}
        owner = (body.get("metadata", {}).get("labels") or {}).get(OWNER)
        reading.owner, reading.read_at, reading.number = owner, read_at, number
