"""Cache of the observed objects: filled by watches, by responses to writes, and by resyncs.

The newest resource version of an object wins, whatever its origin: a watch that lags behind does
not undo what the operator has written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from clipmill_operator.building.resource import Object
from clipmill_operator.kube_client import ObjectList
from clipmill_operator.queueing.observed_workload import ObservedWorkload
from clipmill_operator.watching.observed import (
    Children,
    Key,
    ObservedCompilation,
    ObservedJob,
    ObservedShow,
    key_of,
    resource_version_of,
)
from clipmill_operator.watching.observed_pod import ObservedPod

T = TypeVar("T", ObservedCompilation, ObservedShow, ObservedJob, ObservedPod)


class _Entry(NamedTuple, Generic[T]):
    resource_version: int
    uid: str
    value: T


class KindCache(Generic[T]):
    """Objects of one kind by namespace and name. Safe for use by several threads."""

    def __init__(self, read: Callable[[Object], T]) -> None:
        self._read: Callable[[Object], T] = read
        self._entries: dict[Key, _Entry[T]] = {}
        self._lock = Lock()

    def store(self, body: Object) -> bool:
        """Store an object. Return whether a field that the operator reads has changed."""
        with self._lock:
            return self._store(body) is not None

    def remove(self, key: Key, uid: str) -> bool:
        """Remove a deleted object, unless another one has its name. Return whether it was here."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.uid != uid:
                return False
            del self._entries[key]
            return True

    def resync(self, listed: ObjectList) -> list[T]:
        """Take over a complete list. Return what had changed or disappeared unnoticed."""
        keys = {key_of(body) for body in listed.items}
        with self._lock:
            removed = {
                key: entry
                for key, entry in self._entries.items()
                if key not in keys and entry.resource_version <= listed.resource_version
            }
            for key in removed:
                del self._entries[key]
            # Under one lock: a watch may report the deletion of a listed object meanwhile.
            stored = [self._store(body) for body in listed.items]
        changed = [value for value in stored if value is not None]
        return changed + [entry.value for entry in removed.values()]

    def get(self, key: Key) -> T | None:
        """Return an object, or None."""
        entry = self._entries.get(key)
        return entry.value if entry else None

    def all(self) -> list[T]:
        """Return all objects."""
        with self._lock:
            return [entry.value for entry in self._entries.values()]

    def _store(self, body: Object) -> T | None:
        """Store an object and return it if it has changed. The caller holds the lock."""
        key, version = key_of(body), resource_version_of(body)
        previous = self._entries.get(key)
        if previous is not None and previous.resource_version >= version:
            return None
        value = self._read(body)
        self._entries[key] = _Entry(version, body["metadata"]["uid"], value)
        return None if previous is not None and previous.value == value else value


class WorkloadCache:
    """Workloads of Kueue by the uid of their Job. Safe for use by several threads."""

    def __init__(self) -> None:
        self._workloads: dict[str, ObservedWorkload] = {}

    def replace(self, workloads: Iterable[ObservedWorkload]) -> set[str]:
        """Take over all Workloads of suspended Jobs. Return the uids of Jobs with a change."""
        previous, current = self._workloads, {each.job_uid: each for each in workloads}
        self._workloads = current
        return {uid for uid in {*previous, *current} if previous.get(uid) != current.get(uid)}

    def of_jobs(self, jobs: Iterable[ObservedJob]) -> tuple[ObservedWorkload, ...]:
        """Return the Workloads of these Jobs."""
        current = self._workloads
        return tuple(current[job.uid] for job in jobs if job.uid in current)


class ClusterCache:
    """All Compilations and Shows with their Jobs and pods, and Workloads of suspended Jobs."""

    def __init__(self) -> None:
        self.compilations: KindCache[ObservedCompilation] = KindCache(ObservedCompilation.from_body)
        self.shows: KindCache[ObservedShow] = KindCache(ObservedShow.from_body)
        self.jobs: KindCache[ObservedJob] = KindCache(ObservedJob.from_body)
        self.pods: KindCache[ObservedPod] = KindCache(ObservedPod.from_body)
        self.workloads = WorkloadCache()

    def children(self, uid: str) -> Children:
        """Return the Jobs and pods of the Compilation with this uid."""
        jobs = _owned(self.jobs.all(), uid)
        pods, workloads = _owned(self.pods.all(), uid), self.workloads.of_jobs(jobs)
        return Children(jobs, pods, workloads)


C = TypeVar("C", ObservedJob, ObservedPod)


def _owned(objects: Iterable[C], uid: str) -> tuple[C, ...]:
    return tuple(child for child in objects if child.compilation_uid == uid)
