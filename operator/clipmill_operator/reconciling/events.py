"""Kubernetes events of a resource, as `kubectl describe` prints them. Pure.

The name of an event follows from its content, so that a repetition after a restart adds nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from clipmill_operator.building.resource import API_VERSION, CompilationStatus, Object, Phase
from clipmill_operator.reconciling.actions import (
    Action,
    CreateJob,
    Decision,
    DeleteJob,
    ReplaceSecret,
)
from clipmill_operator.watching.observed import ObservedCompilation, ObservedShow

COMPONENT = "clipmill-operator"
MESSAGE_CHARS = 900
# Conditions whose change is an event, and the type of that event.
CONDITION_EVENTS = {
    ("Accepted", "True"): "Normal",
    ("Accepted", "False"): "Warning",
    ("Fetched", "True"): "Normal",
    ("Degraded", "True"): "Warning",
    ("WithinLimits", "False"): "Warning",
    ("Complete", "True"): "Normal",
    ("Failed", "True"): "Warning",
}


class Event(NamedTuple):
    """Type, reason and message of an event."""

    type: str
    reason: str
    message: str


def events_of(compilation: ObservedCompilation, decision: Decision) -> list[Event]:
    """Return the events of a decision."""
    events = action_events(decision.actions)
    if decision.status is not None:
        events += _status_events(compilation, decision.status)
    return events


def action_events(actions: Iterable[Action]) -> list[Event]:
    """Return the events of actions."""
    return [event for action in actions for event in _action_event(action)]


def _action_event(action: Action) -> Iterator[Event]:
    match action:
        case CreateJob(stage, tasks):
            count = "1 task" if tasks == 1 else f"{tasks} tasks"
            reason = f"{stage.value.capitalize()}Started"
            yield Event("Normal", reason, f"Created {stage.value} Job with {count}")
        case ReplaceSecret(job):
            message = f"Replaced missing Secret of Job {job.name} with a new key"
            yield Event("Warning", "KeyReplaced", message)
        case DeleteJob(job):
            yield Event(
                "Normal", "JobDeleted", f"Deleted Job {job.name}: it is not needed any more"
            )
        case _:
            return


def _status_events(compilation: ObservedCompilation, status: CompilationStatus) -> Iterator[Event]:
    previous = {
        (c["type"], c["status"], c["reason"], c.get("observedGeneration"))
        for c in compilation.status.get("conditions") or []
    }
    for condition in status.conditions:
        if condition.type == "Fetched" and not previous:
            # Nothing had to be fetched.
            continue
        event_type = CONDITION_EVENTS.get((condition.type, condition.status))
        identity = (condition.type, condition.status, condition.reason, compilation.generation)
        if event_type and identity not in previous:
            yield Event(event_type, condition.reason, condition.message)
    if status.phase is Phase.QUEUED and compilation.status.get("phase") != Phase.QUEUED:
        yield Event("Normal", "Queued", str(status.message))


def event_objects(
    resource: ObservedCompilation | ObservedShow, events: Iterable[Event], now: str
) -> list[Object]:
    """Return events as Kubernetes objects."""
    return [_event_object(resource, event, now) for event in events]


def _event_object(resource: ObservedCompilation | ObservedShow, event: Event, now: str) -> Object:
    content = f"{resource.uid}/{resource.generation}/{event.reason}/{event.message}"
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{resource.name}.{digest}", "namespace": resource.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": resource.kind,
            "namespace": resource.namespace,
            "name": resource.name,
            "uid": resource.uid,
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message[:MESSAGE_CHARS],
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
