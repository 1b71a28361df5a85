"""Writes of a resource's status and events."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from clipmill_operator import metrics
from clipmill_operator.building.resource import API_VERSION, CompilationStatus
from clipmill_operator.errors import PermanentKubeError
from clipmill_operator.kube_client import KubeClient
from clipmill_operator.reconciling.events import Event, event_objects
from clipmill_operator.reconciling.status import dump_status
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import ObservedCompilation, ObservedShow

log = logging.getLogger(__name__)


class StatusWriter:
    """Writes statuses and events to the cluster. Raises KubeError."""

    def __init__(self, kube: KubeClient, cache: ClusterCache) -> None:
        self._kube, self._cache = kube, cache

    def write(
        self, compilation: ObservedCompilation, status: CompilationStatus
    ) -> Mapping[str, Any]:
        """Write a status if it differs from the current one. Return it as it was written."""
        return self.write_content(compilation, dump_status(status))

    def write_content(
        self, resource: ObservedCompilation | ObservedShow, content: dict[str, Any]
    ) -> Mapping[str, Any]:
        """Write a status, as the API server stores it, if it differs from the current one.

        Return it, if possible by the object of the cache, so that it is in memory once.
        """
        if content == resource.status:
            return resource.status
        metadata = {"name": resource.name, "namespace": resource.namespace, "uid": resource.uid}
        manifest = {"apiVersion": API_VERSION, "kind": resource.kind, "metadata": metadata}
        written = self._kube.apply(manifest | {"status": content}, subresource="status")
        metrics.STATUS_WRITES.inc()
        if written is None:
            return content
        if isinstance(resource, ObservedShow):
            self._cache.shows.store(written)
        else:
            self._cache.compilations.store(written)
        stored: Mapping[str, Any] = written.get("status") or {}
        return stored if stored == content else content

    def record(
        self,
        resource: ObservedCompilation | ObservedShow,
        events: Iterable[Event],
        now: str,
    ) -> None:
        """Create events. A refused event is logged only: nothing depends on it."""
        for event in event_objects(resource, events, now):
            try:
                self._kube.create(event)
            except PermanentKubeError as error:
                log.warning("event key=%s/%s error=%s", *resource.key, error)
