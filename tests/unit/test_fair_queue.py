"""The operator's own queue: fair between owners, with places and estimated starts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from clipmill.protocol import QuotaEffect
from clipmill_operator.queueing.admission_queue import AdmissionQueue
from clipmill_operator.queueing.fair_order import (
    AdmissionLimits,
    Candidate,
    FairOrder,
    admissible,
)
from clipmill_operator.queueing.queue_wait import own_wait
from clipmill_operator.queueing.start_forecast import QueuePlace, Running, forecast
from clipmill_operator.reconciling.actions import PlanResponse, SpecRefusal
from clipmill_operator.reconciling.status import accepted_status, dump_status
from clipmill_operator.watching.observed import Children, ObservedCompilation
from operator_objects import COMPILATION, FETCHING, NOW, SUCCEEDED, children, job

UID = COMPILATION.uid
OTHER = replace(COMPILATION, name="other", uid="uid-2", created_at="2026-01-02T00:00:00Z")
ACCEPTED = PlanResponse(owner="ada", plan=FETCHING)
ONE = AdmissionLimits(1, 1)
TIME = datetime.fromisoformat(NOW)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def queue(limits: AdmissionLimits = ONE) -> AdmissionQueue:
    """Return an empty queue."""
    return AdmissionQueue(limits, Clock())


def candidate(day: int, owner: str, cost_s: int = 60) -> Candidate:
    """Return a Compilation of that day that waits."""
    return Candidate(f"2026-01-{day:02}", f"u{day}", owner, ("ns", f"c{day}"), cost_s)


def order(
    waiting: list[Candidate],
    admitted: list[str],
    limits: AdmissionLimits,
    used_s: dict[str, int] | None = None,
) -> FairOrder:
    """Return the order of candidates."""
    return FairOrder(waiting, admitted=Counter(admitted), used_s=used_s or {}, limits=limits)


# --- order ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("admitted", "chosen"),
    [
        ([], ["u1", "u4", "u2"]),
        (["ada"], ["u1", "u4"]),
        (["ada", "ada"], ["u4"]),
        (["eve", "bob", "bob"], []),
    ],
)
def test_limits(admitted: list[str], chosen: list[str]) -> None:
    """Three, and two per owner; one owner's limit does not block the others."""
    waiting = [candidate(4, "bob"), *(candidate(day, "ada") for day in (1, 2, 3))]
    admitted_now = admissible(order(waiting, admitted, AdmissionLimits(3, 2)))
    assert [one.uid for one in admitted_now] == chosen


@pytest.mark.parametrize("limits", [AdmissionLimits(0, 2), AdmissionLimits(3, 0)])
def test_zero_is_no_limit(limits: AdmissionLimits) -> None:
    """In total or per owner; with both switched off nothing waits."""
    waiting = [candidate(day, "ada") for day in range(1, 9)]
    expected = limits.total or limits.per_owner
    assert len(admissible(order(waiting, [], limits))) == expected
    assert len(admissible(order(waiting, ["ada"] * 50, AdmissionLimits(0, 0)))) == 8


def test_owners_take_turns_by_their_render_seconds() -> None:
    """A hundred of ada's do not delay bob's by more than one; his longer ones count as more."""
    waiting = [
        *(candidate(day, "ada", 60) for day in range(1, 7)),
        *(candidate(day, "bob", 120) for day in range(11, 14)),
    ]
    owners = [one.owner for one in admissible(order(waiting, [], AdmissionLimits(0, 0)))]
    assert owners == ["ada", "bob", "ada", "ada", "bob", "ada", "ada", "bob", "ada"]


def test_recent_usage_comes_first() -> None:
    """Who has used less gets the next slots until both have used the same."""
    waiting = [candidate(day, "ada") for day in (1, 2)] + [candidate(day, "bob") for day in (3, 4)]
    used_s = {"ada": 130, "bob": 10}
    chosen = [one.uid for one in admissible(order(waiting, [], AdmissionLimits(0, 0), used_s))]
    assert chosen == ["u3", "u4", "u1", "u2"]


# --- places -----------------------------------------------------------------------------------


def test_places_and_estimated_starts() -> None:
    """Each slot is taken when the one before ends, at the measured speed."""
    limits = AdmissionLimits(2, 2)
    waiting = [candidate(day, "ada", 100) for day in (1, 2, 3)]
    running = [Running("bob", 100, 30.0), Running("bob", 100, 500.0)]
    places = forecast(order(waiting, ["bob", "bob"], limits), running, 0.5)
    assert places == {
        "u1": QueuePlace(1, 0.0),
        "u2": QueuePlace(2, 20.0),
        "u3": QueuePlace(3, 50.0),
    }


def test_without_a_measured_speed_there_are_positions_only() -> None:
    """After a start of the operator, until a Compilation has ended."""
    places = forecast(order([candidate(1, "ada")], ["ada"], ONE), [Running("ada", 60, 0.0)], None)
    assert places == {"u1": QueuePlace(1, None)}


@pytest.mark.parametrize(
    ("place", "queue", "parts"),
    [
        (None, {}, ["the limit is reached"]),
        (QueuePlace(3), {"position": 3}, ["Position 3 in the queue"]),
        (
            QueuePlace(11, 90.0),
            {"position": 20, "estimatedStart": "2026-01-01T00:01:30Z"},
            ["Among the first 20", "estimated start 2026-01-01T00:01:30Z"],
        ),
    ],
)
def test_the_status_names_place_and_start(
    place: QueuePlace | None, queue: dict[str, Any], parts: list[str]
) -> None:
    """As fields for programs, and in the message of the phase and of the condition Queued."""
    wait = own_wait(place, None, TIME)
    status = dump_status(accepted_status(COMPILATION, FETCHING, "ada", wait=wait, now=NOW))
    assert status["queue"] == queue
    assert (status["phase"], status["reason"]) == ("Queued", "Queued")
    (condition,) = [each for each in status["conditions"] if each["type"] == "Queued"]
    assert condition["status"] == "True"
    for text in (status["message"], condition["message"]):
        assert all(part in text for part in parts)


@pytest.mark.parametrize(
    ("place", "is_kept"),
    [
        (QueuePlace(12, 200.0), True),
        (QueuePlace(12, 211.0), False),
        (QueuePlace(21, 100.0), False),
        (QueuePlace(12), False),
    ],
)
def test_a_place_that_is_almost_the_same_is_not_written(place: QueuePlace, is_kept: bool) -> None:
    """Each write costs a request, for every Compilation that waits."""
    shown = own_wait(QueuePlace(14, 90.0), None, TIME).queue
    dumped = shown.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert (own_wait(place, dumped, TIME).queue == shown) is is_kept


# --- the queue --------------------------------------------------------------------------------


def test_an_admission_ends_with_its_revision() -> None:
    """An outage of the API keeps it; a refusal or a terminal state gives it to the next."""
    for ended in (
        PlanResponse(refusal=SpecRefusal("TierLimit", "")),
        PlanResponse(owner="ada", plan=SUCCEEDED),
    ):
        own = queue()
        assert own.admit(COMPILATION, ACCEPTED, Children())
        assert own.admit(COMPILATION, PlanResponse(outage="no response"), Children())
        assert not own.admit(OTHER, ACCEPTED, Children())
        assert (own.counts(), own.is_waiting(OTHER.uid)) == ((1, 1), True)
        assert own.place(OTHER.uid) == QueuePlace(1, None)
        assert own.admissible_keys() == []
        own.admit(COMPILATION, ended, Children())
        assert own.admissible_keys() == [OTHER.key]
        assert own.admit(OTHER, ACCEPTED, Children())
        assert own.counts() == (1, 0)


def test_existing_jobs_continue_beyond_the_limit() -> None:
    """A restarted operator admits what has Jobs, and only then what waits."""
    own = queue()
    own.restore(UID, "ada")
    assert not own.admit(OTHER, ACCEPTED, Children())
    assert own.admit(OTHER, ACCEPTED, children(job("fetch")))
    own.release(UID)
    own.release(OTHER.uid)
    assert own.counts() == (0, 0)


def test_suspended_jobs_hold_no_slot() -> None:
    """The next one is admitted meanwhile; a resumed one continues, beyond the limit too."""
    own = queue()
    suspended = children(job("fetch", is_suspended=True))
    assert own.admit(COMPILATION, ACCEPTED, Children())
    assert own.admit(COMPILATION, ACCEPTED, suspended)
    assert own.counts() == (0, 1)
    assert own.admit(OTHER, ACCEPTED, Children())
    assert own.admit(COMPILATION, ACCEPTED, children(job("fetch")))
    assert own.counts() == (2, 0)


def test_the_fair_owner_is_admitted_first() -> None:
    """By usage of the API, and by what is admitted already."""
    clock = Clock()
    own = AdmissionQueue(ONE, clock)

    def arrives(name: str, owner: str, day: int) -> tuple[ObservedCompilation, PlanResponse]:
        quota = QuotaEffect(estimated_seconds=60, remaining_seconds=None, limit_seconds=None)
        created_at = f"2026-01-{day:02}T00:00:00Z"
        compilation = replace(COMPILATION, name=name, uid=name, created_at=created_at)
        plan = FETCHING.model_copy(update={"quota": quota})
        return compilation, PlanResponse(owner=owner, plan=plan)

    first, response = arrives("first", "ada", 1)
    assert own.admit(first, response, Children())
    for name, owner, day in (("second", "ada", 2), ("third", "bob", 3), ("fourth", "eve", 4)):
        assert not own.admit(*arrives(name, owner, day), Children())
    assert own.waiting_owners() == {"ada", "bob", "eve"}
    own.set_usage({"bob": 500})
    places = {name: own.place(name) for name in ("second", "third", "fourth")}
    assert places == {
        "second": QueuePlace(2, None),
        "third": QueuePlace(3, None),
        "fourth": QueuePlace(1, None),
    }
    clock.now += 30.0
    own.admit(first, replace(response, plan=SUCCEEDED), Children())
    assert own.admissible_keys() == [("default", "fourth")]
    # 60 render seconds took 30 s.
    assert own.place("third") == QueuePlace(3, 60.0)


def test_slots_and_costs_are_given_back() -> None:
    """Those of one that has changed its cost count once."""
    slots = queue(AdmissionLimits(2, 1))
    slots.restore("u1", "ada")
    slots.restore("u2", "bob")
    for uid in ("u1", "u2"):
        slots.release(uid)
    assert (slots._held, slots._cost_s) == (Counter(), Counter())
