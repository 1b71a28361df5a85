"""What is known of the cluster: fed by watches, by the answers to our own writes, by resyncs.

An object's newest version stays, whichever way it came: what we wrote is never forgotten because
a watch is behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Generic, NamedTuple, Protocol, TypeVar

from clipmill_operator.kube import Listed, Object
from clipmill_operator.reconciling.observed import (
    Children,
    SeenJob,
    SeenPod,
    Wish,
    key_of,
    version_of,
)

Key = tuple[str, str]
"""(namespace, name)."""


class Seen(Protocol):
    """What is kept of an object."""

    @property
    def uid(self) -> str:
        """The object's uid."""


T = TypeVar("T", Wish, SeenJob, SeenPod)


class _Kept(NamedTuple, Generic[T]):
    version: int
    uid: str
    seen: T


class Store(Generic[T]):
    """Objects of one kind, by key."""

    def __init__(self, read: Callable[[Object], T]) -> None:
        self._read: Callable[[Object], T] = read
        self._kept: dict[Key, _Kept[T]] = {}
        self._lock = Lock()

    def see(self, body: Object) -> bool:
        """Store an object. Return whether a field that the operator reads has changed."""
        with self._lock:
            return self._store(body) is not None

    def _store(self, body: Object) -> T | None:
        """Return the object as stored if it differs from what was stored; needs the lock."""
        key, version = key_of(body), version_of(body)
        known = self._kept.get(key)
        if known is not None and known.version >= version:
            return None
        seen = self._read(body)
        self._kept[key] = _Kept(version, body["metadata"]["uid"], seen)
        return None if known is not None and known.seen == seen else seen

    def lose(self, key: Key, uid: str) -> bool:
        """Forget an object that was deleted, unless another has its name by now."""
        with self._lock:
            known = self._kept.get(key)
            if known is None or known.uid != uid:
                return False
            del self._kept[key]
            return True

    def resync(self, listed: Listed) -> list[T]:
        """Take in a whole list. What had been missed: changed, or gone."""
        keys = {key_of(body) for body in listed.items}
        with self._lock:
            gone = {
                key: kept
                for key, kept in self._kept.items()
                if key not in keys and kept.version <= listed.version
            }
            for key in gone:
                del self._kept[key]
            # Under one lock: a watch may report the deletion of a listed object meanwhile.
            missed = [self._store(body) for body in listed.items]
        return [seen for seen in missed if seen is not None] + [k.seen for k in gone.values()]

    def get(self, key: Key) -> T | None:
        """An object."""
        kept = self._kept.get(key)
        return kept.seen if kept else None

    def all(self) -> list[T]:
        """Every object."""
        with self._lock:
            return [kept.seen for kept in self._kept.values()]


class Cache:
    """Compilations, their Jobs and their pods."""

    def __init__(self) -> None:
        self.wishes: Store[Wish] = Store(Wish.of)
        self.jobs: Store[SeenJob] = Store(SeenJob.of)
        self.pods: Store[SeenPod] = Store(SeenPod.of)

    def children(self, wish: Wish) -> Children:
        """What there is of one resource."""
        return Children(_of(self.jobs.all(), wish), _of(self.pods.all(), wish))


C = TypeVar("C", SeenJob, SeenPod)


def _of(seen: Iterable[C], wish: Wish) -> tuple[C, ...]:
    return tuple(one for one in seen if one.owner_uid == wish.uid)
