"""Admission of Compilations to the cluster, up to a limit in total and for each owner."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from threading import Lock
from typing import NamedTuple

from clipmill.protocol import Plan
from clipmill_operator.queueing.fair_order import (
    AdmissionLimits,
    Candidate,
    FairOrder,
    admissible,
)
from clipmill_operator.queueing.start_forecast import QueuePlace, Running, forecast
from clipmill_operator.queueing.suspended_jobs import is_suspended
from clipmill_operator.reconciling.actions import PlanResponse
from clipmill_operator.reconciling.decide import needs_admission
from clipmill_operator.watching.observed import Children, Key, ObservedCompilation

# Ended Compilations by which the speed of the next ones is estimated.
MEASURED = 20
# Places are computed again after this time, and at once for a newcomer to a short queue.
PLACES_FOR_S = 5.0
SHORT_QUEUE = 50


class Admission(NamedTuple):
    """An admitted Compilation: its owner, its render seconds, and when it was admitted."""

    owner: str
    cost_s: int
    since: float


class AdmissionQueue:
    """Admitted and waiting Compilations. Safe for use by several threads.

    Both can be computed again: after a start the admitted ones are those that have running Jobs.
    One whose Jobs are suspended by Kueue is neither, and needs no admission to go on.
    """

    def __init__(self, limits: AdmissionLimits, clock: Callable[[], float]) -> None:
        self._limits, self._clock = limits, clock
        self._admitted: dict[str, Admission] = {}
        # Of the admitted ones by owner, so that no decision has to count thousands of them.
        self._held: Counter[str] = Counter()
        self._cost_s: Counter[str] = Counter()
        self._waiting: dict[str, Candidate] = {}
        self._suspended: set[str] = set()
        self._used_s: Counter[str] = Counter()
        # Seconds from admission to end, and render seconds, of those that have ended.
        self._ended: deque[tuple[float, int]] = deque(maxlen=MEASURED)
        self._places: dict[str, QueuePlace] = {}
        self._places_at = float("-inf")
        # Those that may be admitted now; None after a change.
        self._next: list[Candidate] | None = None
        self._lock = Lock()

    def restore(self, uid: str, owner: str) -> None:
        """Record a Compilation that has had running Jobs before the start."""
        with self._lock:
            self._admit(uid, Admission(owner, 0, self._clock()))

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
                self._measure(compilation.uid, response)
                self._release(compilation.uid)
                return True
            if self._is_admitted(compilation, response.plan, response.owner, children):
                self._take_slot(compilation.uid, response.plan, response.owner, children)
                return True
            return False

    def is_waiting(self, uid: str) -> bool:
        """Return whether a Compilation waits and cannot be admitted yet."""
        with self._lock:
            return uid in self._waiting and uid not in self._admissible_uids()

    def place(self, uid: str) -> QueuePlace | None:
        """Return the place of a waiting Compilation, if it is known."""
        with self._lock:
            age_s = self._clock() - self._places_at
            is_new = uid in self._waiting and uid not in self._places
            if age_s > PLACES_FOR_S or (is_new and len(self._waiting) <= SHORT_QUEUE):
                self._places, self._places_at = self._forecast(), self._clock()
            return self._places.get(uid)

    def waiting_owners(self) -> set[str]:
        """Return the owners of waiting Compilations."""
        with self._lock:
            return {candidate.owner for candidate in self._waiting.values()}

    def set_usage(self, used_s: Mapping[str, int]) -> None:
        """Take over the render seconds that owners have used recently."""
        with self._lock:
            self._used_s, self._next = Counter(used_s), None

    def release(self, uid: str) -> None:
        """Forget a deleted Compilation."""
        with self._lock:
            self._release(uid)

    def admissible_keys(self) -> list[Key]:
        """Return the keys of those that may be admitted now: they are to be reconciled."""
        with self._lock:
            return [candidate.key for candidate in self._admissible()]

    def counts(self) -> tuple[int, int]:
        """Return the numbers of admitted Compilations, and of those that wait or are suspended."""
        with self._lock:
            return len(self._admitted), len(self._waiting) + len(self._suspended)

    def _is_admitted(
        self, compilation: ObservedCompilation, plan: Plan, owner: str, children: Children
    ) -> bool:
        uid = compilation.uid
        if uid in self._admitted or not needs_admission(plan, children):
            return True
        cost_s = plan.quota.estimated_seconds
        candidate = Candidate(compilation.created_at, uid, owner, compilation.key, cost_s)
        if self._waiting.get(uid) != candidate:
            self._waiting[uid], self._next = candidate, None
        return uid in self._admissible_uids()

    def _take_slot(self, uid: str, plan: Plan, owner: str, children: Children) -> None:
        """Let a Compilation hold a slot, unless its Jobs are suspended."""
        if is_suspended(plan, children):
            self._release(uid)
            self._suspended.add(uid)
            return
        if self._waiting.pop(uid, None):
            self._next = None
        self._suspended.discard(uid)
        current = self._admitted.get(uid)
        since = current.since if current else self._clock()
        self._admit(uid, Admission(owner, plan.quota.estimated_seconds, since))

    def _admit(self, uid: str, admission: Admission) -> None:
        if self._admitted.get(uid) != admission:
            self._unadmit(uid)
            self._admitted[uid], self._next = admission, None
            self._held[admission.owner] += 1
            self._cost_s[admission.owner] += admission.cost_s

    def _unadmit(self, uid: str) -> None:
        admission = self._admitted.pop(uid, None)
        if admission is None:
            return
        owner, self._next = admission.owner, None
        self._held[owner] -= 1
        self._cost_s[owner] -= admission.cost_s
        if not self._held[owner]:
            del self._held[owner], self._cost_s[owner]

    def _measure(self, uid: str, response: PlanResponse) -> None:
        admission = self._admitted.get(uid)
        if admission is not None and admission.cost_s and response.is_terminal:
            self._ended.append((self._clock() - admission.since, admission.cost_s))
            # The next poll of the usage replaces this.
            self._used_s[admission.owner] += admission.cost_s
            self._next = None

    def _admissible(self) -> list[Candidate]:
        if not self._waiting or 0 < self._limits.total <= len(self._admitted):
            return []
        if self._next is None:
            self._next = admissible(self._order())
        return self._next

    def _admissible_uids(self) -> set[str]:
        return {candidate.uid for candidate in self._admissible()}

    def _order(self) -> FairOrder:
        return FairOrder(
            self._waiting.values(),
            admitted=self._held,
            used_s=self._used_s + self._cost_s,
            limits=self._limits,
        )

    def _forecast(self) -> dict[str, QueuePlace]:
        now = self._clock()
        running = [Running(a.owner, a.cost_s, now - a.since) for a in self._admitted.values()]
        cost_s = sum(cost for _, cost in self._ended)
        speed = sum(duration for duration, _ in self._ended) / cost_s if cost_s else None
        return forecast(self._order(), running, speed)

    def _release(self, uid: str) -> None:
        if self._waiting.pop(uid, None):
            self._next = None
        self._unadmit(uid)
        self._suspended.discard(uid)
