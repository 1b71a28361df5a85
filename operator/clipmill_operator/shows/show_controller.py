"""The controller of Shows: registers them, lets the API act on time, and writes what it answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clipmill import fault_points
from clipmill.shows.show_messages import DiscoverJob, ShowTick, ShowView
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator.errors import PermanentKubeError
from clipmill_operator.kube_client import SHOW, KubeClient
from clipmill_operator.reconciling.events import Event
from clipmill_operator.reconciling.status_writer import StatusWriter
from clipmill_operator.shows.discover_jobs import DiscoverJobs
from clipmill_operator.shows.show_events import show_events
from clipmill_operator.shows.show_memory import ShowMemory
from clipmill_operator.shows.show_registrar import ShowRegistrar
from clipmill_operator.shows.show_status import refused_show_status, registered_show_status
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import Children, Key, ObservedShow

log = logging.getLogger(__name__)
# All views are requested again at this interval: whatever was missed is repaired then.
COMPLETE_EVERY_S = 300.0


@dataclass(kw_only=True)
class ShowController:
    """Everything that the operator does for Shows. Safe for several threads."""

    kube: KubeClient
    api: OperatorCalls
    cache: ClusterCache
    memory: ShowMemory
    registrar: ShowRegistrar
    discovery: DiscoverJobs
    writer: StatusWriter
    clock: Callable[[], float]
    now: Callable[[], datetime]
    _cursor: int = 0
    _completed_at: float = float("-inf")

    def tick(self) -> list[Key]:
        """Let the API start what is due, and run discover Jobs. Return the Shows to reconcile.

        Raises:
            ClientError: The API cannot be reached.
        """
        observed = self._observe_discovery()
        is_complete = self.clock() - self._completed_at >= COMPLETE_EVERY_S
        tick = self.api.shows.tick(0 if is_complete else self._cursor)
        fault_points.reach("operator.shows.ticked")
        changed = self.memory.store_changed(tick.changed, are_all=is_complete)
        self._record_cursor(tick, is_complete=is_complete)
        self._record_started(self.discovery.sync(tick.discover, observed))
        if not (is_complete or changed):
            return []
        shows = self.cache.shows.all()
        return [show.queue_key for show in shows if is_complete or show.uid in changed]

    def reconcile(self, key: Key) -> None:
        """Register one Show if it must be, and write its status.

        Raises:
            KubeError: A request to the cluster failed.
            ClientError: A request to the API failed.
            Requeue: The observed generation is out of date.
        """
        show = self.cache.shows.get(key)
        if show is None or show.is_deleting or not self.memory.is_complete:
            return
        view = self.registrar.view(show)
        fault_points.reach("operator.show.registered")
        now = self._timestamp()
        if isinstance(view, ShowView):
            self._write(show, registered_show_status(show, view, now), view)
        else:
            self._write(show, refused_show_status(show, view, now), None)

    def delete(self, uid: str) -> None:
        """Report a deleted Show to the API. A repetition changes nothing. Raises ClientError."""
        self.api.shows.delete(uid)
        self.memory.forget(uid)

    def delete_missing(self) -> None:
        """Report Shows of which no watch reported the deletion. Raises KubeError, ClientError."""
        current = {show.uid for show in self.cache.shows.all() if not show.is_deleting}
        for uid in self.memory.uids() - current:
            view = self.memory.view(uid)
            if view is not None and self._is_deleted(view):
                log.info("delete show uid=%s key=%s/%s", uid, view.namespace, view.name)
                self.delete(uid)

    def _is_deleted(self, view: ShowView) -> bool:
        try:
            body = self.kube.get(SHOW, view.namespace, view.name)
        except PermanentKubeError:
            return False
        if body is None or body["metadata"]["uid"] != view.uid:
            return True
        return "deletionTimestamp" in body["metadata"]

    def _observe_discovery(self) -> Children:
        jobs = tuple(job for job in self.cache.jobs.all() if job.episode)
        names = {(job.namespace, job.name) for job in jobs}
        pods = self.cache.pods.all() if jobs else []
        return Children(jobs, tuple(p for p in pods if (p.namespace, p.job) in names))

    def _record_cursor(self, tick: ShowTick, *, is_complete: bool) -> None:
        """An API that was restored from a backup counts from an earlier cursor."""
        if is_complete:
            self._completed_at = self.clock()
        elif tick.cursor < self._cursor:
            self._completed_at = float("-inf")
        self._cursor = tick.cursor

    def _record_started(self, tasks: list[DiscoverJob]) -> None:
        for task in tasks:
            show = self.cache.shows.get((task.namespace, task.show_name))
            if show is not None and show.uid == task.show_uid:
                event = Event("Normal", "DiscoverStarted", f"Created discover Job of {task.name}")
                self.writer.record(show, [event], self._timestamp())

    def _write(self, show: ObservedShow, status: dict[str, Any], view: ShowView | None) -> None:
        if status == show.status:
            return
        events = show_events(show, status, view.last_episode if view else None)
        self.writer.record(show, events, self._timestamp())
        self.writer.write_content(show, status)
        fault_points.reach("operator.show.status.written")

    def _timestamp(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
