"""What the operator remembers of resources to ask less: all of it can be forgotten at any moment.

Who has pods, who waits for a place, and what needs no look since nothing can have changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from clipmill.contract import ENDS, Plan
from clipmill_operator.cache import Key
from clipmill_operator.decide import Answer, starts
from clipmill_operator.observe import Children, Wish
from clipmill_operator.slots import Waiting, admitted


@dataclass(slots=True)
class Standing:
    """One resource: the generation that the API knows, and the status that was written last.

    `rekeyed_at`: when a Job, by its uid, was given another key.
    """

    registered: int = 0
    settled: int = 0
    asked_at: float = 0.0
    trouble_since: float | None = None
    rekeyed_at: dict[str, float] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)


class Standings:
    """All resources. Safe among the loop's workers."""

    def __init__(self, *, most: int, most_of_owner: int) -> None:
        self._most, self._most_of_owner = most, most_of_owner
        self._of: dict[str, Standing] = {}
        self._holders: dict[str, str] = {}
        self._waiting: dict[str, Waiting] = {}
        self._keys: dict[str, Key] = {}
        self._lock = Lock()

    def of(self, uid: str) -> Standing:
        """What is remembered of one."""
        with self._lock:
            return self._of.setdefault(uid, Standing())

    def hold(self, uid: str, owner: str) -> None:
        """It has pods: it was found so at the start."""
        with self._lock:
            self._holders[uid] = owner

    def may_start(self, wish: Wish, answer: Answer, seen: Children) -> bool:
        """Whether it has a place among those that have pods; it gets one if there is one."""
        plan = answer.plan
        with self._lock:
            if plan is None and answer.refusal is None:
                return True
            if plan is None or plan.state in ENDS:
                self._leave(wish.uid)
                return True
            if wish.uid in self._holders or not starts(plan, seen):
                self._take(wish.uid, answer.owner)
                return True
            self._waiting[wish.uid] = Waiting(wish.created, wish.uid, answer.owner)
            self._keys[wish.uid] = (wish.namespace, wish.name)
            if wish.uid not in self._next():
                return False
            self._take(wish.uid, answer.owner)
            return True

    def is_waiting(self, uid: str) -> bool:
        """Whether it waits for a place and there is none."""
        with self._lock:
            return uid in self._waiting and uid not in self._next()

    def forget(self, uid: str) -> None:
        """It is gone."""
        with self._lock:
            self._of.pop(uid, None)
            self._leave(uid)

    def next_keys(self) -> list[Key]:
        """Those who may start now: they are to be looked at."""
        with self._lock:
            return [self._keys[uid] for uid in self._next()]

    def counts(self) -> tuple[int, int]:
        """How many have pods, and how many wait."""
        with self._lock:
            return len(self._holders), len(self._waiting)

    def _next(self) -> list[str]:
        limits = {"most": self._most, "most_of_owner": self._most_of_owner}
        return admitted(self._holders, self._waiting.values(), **limits)

    def _take(self, uid: str, owner: str) -> None:
        self._waiting.pop(uid, None)
        self._holders[uid] = owner

    def _leave(self, uid: str) -> None:
        self._waiting.pop(uid, None)
        self._holders.pop(uid, None)
        self._keys.pop(uid, None)


def is_over(plan: Plan | None) -> bool:
    """Whether nothing will happen any more to this generation."""
    return plan is not None and plan.state in ENDS
