"""Admission of Compilations to the cluster: the oldest first, up to a limit for each owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import NamedTuple

from clipmill.protocol import Plan
from clipmill_operator.reconciling.actions import PlanResponse
from clipmill_operator.reconciling.decide import needs_admission
from clipmill_operator.watching.observed import Children, Key, ObservedCompilation


class Candidate(NamedTuple):
    """A Compilation that waits for its admission. The oldest sorts first."""

    created_at: str
    uid: str
    owner: str
    key: Key


def admissible(
    admitted: Mapping[str, str], candidates: Iterable[Candidate], *, limit: int, owner_limit: int
) -> list[Candidate]:
    """Return the candidates that may be admitted now.

    Args:
        admitted: The owners of admitted Compilations by uid.
        candidates: Those that wait.
        limit: Largest number of admitted Compilations.
        owner_limit: The same for each owner.
    """
    free = limit - len(admitted)
    per_owner = Counter(admitted.values())
    chosen: list[Candidate] = []
    for candidate in sorted(candidates):
        if len(chosen) >= free:
            break
        if per_owner[candidate.owner] < owner_limit:
            per_owner[candidate.owner] += 1
            chosen.append(candidate)
    return chosen


class AdmissionQueue:
    """Admitted and waiting Compilations. Safe for use by several threads.

    Both can be computed again: after a start the admitted ones are those that have Jobs.
    """

    def __init__(self, *, limit: int, owner_limit: int) -> None:
        self._limit, self._owner_limit = limit, owner_limit
        self._admitted: dict[str, str] = {}
        self._waiting: dict[str, Candidate] = {}
        self._lock = Lock()

    def restore(self, uid: str, owner: str) -> None:
        """Record a Compilation that has had Jobs before the start."""
        with self._lock:
            self._admitted[uid] = owner

    def admit(
        self, compilation: ObservedCompilation, response: PlanResponse, children: Children
    ) -> bool:
        """Return whether a Compilation may create Jobs; queue it if it may not.

        A terminal or refused revision gives its admission back; an outage of the API changes
        nothing.
        """
        if response.plan is None and response.refusal is None:
            return True
        with self._lock:
            if response.plan is None or response.is_terminal:
                self._release(compilation.uid)
                return True
            if self._is_admitted(compilation, response.plan, response.owner, children):
                self._waiting.pop(compilation.uid, None)
                self._admitted[compilation.uid] = response.owner
                return True
            return False

    def is_waiting(self, uid: str) -> bool:
        """Return whether a Compilation waits and cannot be admitted yet."""
        with self._lock:
            return uid in self._waiting and uid not in self._admissible_uids()

    def release(self, uid: str) -> None:
        """Forget a deleted Compilation."""
        with self._lock:
            self._release(uid)

    def admissible_keys(self) -> list[Key]:
        """Return the keys of those that may be admitted now: they are to be reconciled."""
        with self._lock:
            return [candidate.key for candidate in self._admissible()]

    def counts(self) -> tuple[int, int]:
        """Return the numbers of admitted and of waiting Compilations."""
        with self._lock:
            return len(self._admitted), len(self._waiting)

    def _is_admitted(
        self, compilation: ObservedCompilation, plan: Plan, owner: str, children: Children
    ) -> bool:
        uid = compilation.uid
        if uid in self._admitted or not needs_admission(plan, children):
            return True
        self._waiting[uid] = Candidate(compilation.created_at, uid, owner, compilation.key)
        return uid in self._admissible_uids()

    def _admissible(self) -> list[Candidate]:
        return admissible(
            self._admitted,
            self._waiting.values(),
            limit=self._limit,
            owner_limit=self._owner_limit,
        )

    def _admissible_uids(self) -> set[str]:
        return {candidate.uid for candidate in self._admissible()}

    def _release(self, uid: str) -> None:
        self._waiting.pop(uid, None)
        self._admitted.pop(uid, None)
