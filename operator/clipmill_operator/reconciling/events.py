"""The events of a resource: what `kubectl describe` tells. Pure.

An event's name follows from what it says, so that saying it again after a restart adds nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from clipmill_operator.building.resource import API_VERSION, KIND, Status
from clipmill_operator.reconciling.decide import Action, Decision, Drop, Rekey, Start
from clipmill_operator.reconciling.observed import Wish

COMPONENT = "clipmill-operator"
SAID_CHARS = 900
TOLD = {
    ("Accepted", "True"): "Normal",
    ("Accepted", "False"): "Warning",
    ("Fetched", "True"): "Normal",
    ("Degraded", "True"): "Warning",
    ("Complete", "True"): "Normal",
    ("Failed", "True"): "Warning",
}
"""Findings that are told when they come to be, and how."""


class Event(NamedTuple):
    """One sentence of the story."""

    kind: str
    reason: str
    message: str


def story(wish: Wish, decision: Decision) -> list[Event]:
    """What a decision adds to the story."""
    events = of_actions(decision.actions)
    if decision.status is not None:
        events += _of_status(wish, decision.status)
    return events


def of_actions(actions: Iterable[Action]) -> list[Event]:
    """What is done."""
    return [event for action in actions for event in _of_action(action)]


def _of_action(action: Action) -> Iterator[Event]:
    match action:
        case Start(stage, tasks):
            many = f"{tasks} part" + ("s" if tasks != 1 else "")
            yield Event("Normal", f"{stage.value.capitalize()}Started", f"a Job of {many}")
        case Rekey(job):
            told = f"the Secret of {job.name} was missing: its pods get another key"
            yield Event("Warning", "KeyReplaced", told)
        case Drop(job):
            yield Event("Normal", "JobDeleted", f"{job.name} is of no use any more")
        case _:
            return


def _of_status(wish: Wish, status: Status) -> Iterator[Event]:
    before = {
        (c["type"], c["status"], c["reason"], c.get("observedGeneration"))
        for c in wish.status.get("conditions") or []
    }
    for found in status.conditions:
        if found.type == "Fetched" and not before:
            # Nothing was to be fetched: no news.
            continue
        kind = TOLD.get((found.type, found.status))
        is_new = (found.type, found.status, found.reason, wish.generation) not in before
        if kind and is_new:
            yield Event(kind, found.reason, found.message)
    if status.reason == "Queued" and wish.status.get("reason") != "Queued":
        yield Event("Normal", "Queued", str(status.message))


def objects(wish: Wish, events: Sequence[Event], now: str) -> list[dict[str, Any]]:
    """The events as the cluster takes them."""
    return [_object(wish, event, now) for event in events]


def _object(wish: Wish, event: Event, now: str) -> dict[str, Any]:
    said = f"{wish.uid}/{wish.generation}/{event.reason}/{event.message}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{wish.name}.{hashlib.sha256(said.encode()).hexdigest()[:16]}",
            "namespace": wish.namespace,
        },
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": wish.namespace,
            "name": wish.name,
            "uid": wish.uid,
        },
        "type": event.kind,
        "reason": event.reason,
        "message": event.message[:SAID_CHARS],
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
