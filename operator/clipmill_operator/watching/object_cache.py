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

Observed = ObservedCompilation | ObservedShow | ObservedJob | ObservedPod
T = TypeVar("T", bound=Observed)


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
            self._drop(key)
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
                self._drop(key)
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
        self._put(key, _Entry(version, body["metadata"]["uid"], value))
        return None if previous is not None and previous.value == value else value

    def _put(self, key: Key, entry: _Entry[T]) -> None:
        self._entries[key] = entry

    def _drop(self, key: Key) -> None:
        del self._entries[key]


C = TypeVar("C", bound=ObservedJob | ObservedPod)


class ChildCache(KindCache[C]):
    """Jobs or pods, also by the uid of their Compilation: each reconcile needs those of one."""

    def __init__(self, read: Callable[[Object], C]) -> None:
        super().__init__(read)
        self._by_owner: dict[str, dict[Key, C]] = {}

    def of(self, uid: str) -> tuple[C, ...]:
        """Return the objects of the Compilation with this uid."""
        with self._lock:
            return tuple(self._by_owner.get(uid, {}).values())

    def _put(self, key: Key, entry: _Entry[C]) -> None:
        self._unlink(key)
        super()._put(key, entry)
        self._by_owner.setdefault(entry.value.compilation_uid, {})[key] = entry.value

    def _drop(self, key: Key) -> None:
        self._unlink(key)
        super()._drop(key)

    def _unlink(self, key: Key) -> None:
        entry = self._entries.get(key)
        if entry is None:
            return
        siblings = self._by_owner[entry.value.compilation_uid]
        del siblings[key]
        if not siblings:
            del self._by_owner[entry.value.compilation_uid]


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
        self.jobs: ChildCache[ObservedJob] = ChildCache(ObservedJob.from_body)
        self.pods: ChildCache[ObservedPod] = ChildCache(ObservedPod.from_body)
        self.workloads = WorkloadCache()

    def children(self, uid: str) -> Children:
        """Return the Jobs and pods of the Compilation with this uid."""
        jobs = self.jobs.of(uid)
        return Children(jobs, self.pods.of(uid), self.workloads.of_jobs(jobs))
