"""What the operator remembers of resources to ask less: all of it can be forgotten at any moment.

Who has pods, who waits for a place, and what needs no look since nothing can have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from clipmill.protocol import ENDS, Active, FirstKey, Plan, Stage
from clipmill_operator.reconciling.admission_slots import Waiting, admitted
from clipmill_operator.reconciling.decide import Answer, starts
from clipmill_operator.reconciling.events import Event
from clipmill_operator.reconciling.observed import Children, Wish
from clipmill_operator.reconciling.status import STEP
from clipmill_operator.watching.object_cache import Key


@dataclass(slots=True)
class Standing:
    """One resource: the generation that the API knows, and the status that was written last.

    `key`: of the stage that its generation begins with, until a Job is made with it.
    `mark`: how it stood at the API when it was looked at; "" when nothing was going on.
    `rekeyed_at`: when a Job, by its uid, was given another key.
    `answer`, `untold`: of the look that made a Job, for the one that tells of it.
    """

    registered: int = 0
    key: FirstKey | None = field(default=None, repr=False)
    mark: str = ""
    settled: int = 0
    asked_at: float = 0.0
    trouble_since: float | None = None
    rekeyed_at: dict[str, float] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer | None = None
    untold: list[Event] = field(default_factory=list)

    def take_answer(self, generation: int) -> Answer | None:
        """What the API answered when a Job was made just now, once, if it is of this wish."""
        given, self.answer = self.answer, None
        return given if self.registered == generation else None

    def take_key(self, generation: int, stage: Stage) -> str | None:
        """The key that came with the plan, once, if it is for this stage."""
        given = self.key
        if given is None or (given.generation, given.stage) != (generation, stage):
            return None
        self.key = None
        return given.key


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

    def moved(self, active: Iterable[Active]) -> set[str]:
        """Those that stand otherwise at the API than when they were looked at, or have ended."""
        now = {one.uid: mark_of(one) for one in active}
        with self._lock:
            return {uid for uid, known in self._of.items() if known.mark != now.get(uid, "")}

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


def mark_of(one: Active | Plan) -> str:
    """How a compilation stands, as far as it shows in a status."""
    clips = "".join(clip.state.value[0] for clip in one.clips)
    return f"{one.generation} {one.state} {one.percent // STEP} {clips}"


def is_over(plan: Plan | None) -> bool:
    """Whether nothing will happen any more to this generation."""
    return plan is not None and plan.state in ENDS
