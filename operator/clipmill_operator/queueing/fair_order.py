"""The order in which waiting Compilations are admitted: fair between owners. Pure.

The next one is the oldest of the owner with the fewest render seconds: those used recently, and
those of Compilations that are admitted already.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from clipmill_operator.watching.observed import Key


class AdmissionLimits(NamedTuple):
    """Largest numbers of admitted Compilations, in total and of each owner. 0 is no limit."""

    total: int
    per_owner: int


class Candidate(NamedTuple):
    """A Compilation that waits for its admission, with its render seconds."""

    created_at: str
    uid: str
    owner: str
    key: Key
    cost_s: int = 0


class FairOrder:
    """Takes candidates one by one. It is used once, for a decision or a simulation."""

    def __init__(
        self,
        candidates: Iterable[Candidate],
        *,
        admitted: Mapping[str, int],
        used_s: Mapping[str, int],
        limits: AdmissionLimits,
    ) -> None:
        """Start with a state.

        Args:
            candidates: Those that wait.
            admitted: The number of admitted Compilations of each owner.
            used_s: Render seconds of owners so far; 0 for all others.
            limits: Largest numbers of admitted Compilations.
        """
        self._used_s, self._limits = dict(used_s), limits
        self._admitted = Counter(admitted)
        self._waiting: dict[str, deque[Candidate]] = {}
        for candidate in sorted(candidates):
            self._waiting.setdefault(candidate.owner, deque()).append(candidate)

    def take(self) -> Candidate | None:
        """Admit the next candidate and return it; None while the limits allow none."""
        if 0 < self._limits.total <= self._admitted.total():
            return None
        owners = [owner for owner in self._waiting if self._is_allowed(owner)]
        if not owners:
            return None
        owner = min(owners, key=self._rank)
        candidate = self._waiting[owner].popleft()
        if not self._waiting[owner]:
            del self._waiting[owner]
        self._admitted[owner] += 1
        self._used_s[owner] = self._used_s.get(owner, 0) + max(1, candidate.cost_s)
        return candidate

    def end(self, owner: str) -> None:
        """Give back the admission of one Compilation of an owner."""
        self._admitted[owner] -= 1

    def _is_allowed(self, owner: str) -> bool:
        return not 0 < self._limits.per_owner <= self._admitted[owner]

    def _rank(self, owner: str) -> tuple[int, Candidate]:
        return self._used_s.get(owner, 0), self._waiting[owner][0]


def admissible(order: FairOrder) -> list[Candidate]:
    """Return the candidates that may be admitted now, in their order."""
    return list(iter(order.take, None))
