"""Kubernetes events of a Show, from the change of its status. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from clipmill.shows.show_messages import EpisodeState, EpisodeView
from clipmill_operator.reconciling.events import Event
from clipmill_operator.watching.observed import ObservedShow

_EVENTS = {
    EpisodeState.CREATED: ("Normal", "EpisodeCreated"),
    EpisodeState.AWAITING_APPROVAL: ("Normal", "EpisodeAwaitsApproval"),
    EpisodeState.SUCCEEDED: ("Normal", "EpisodeSucceeded"),
    EpisodeState.FAILED: ("Warning", "EpisodeFailed"),
    EpisodeState.SKIPPED: ("Warning", "EpisodeSkipped"),
}


def show_events(
    show: ObservedShow, status: Mapping[str, Any], episode: EpisodeView | None
) -> list[Event]:
    """Return the events of a new status.

    Args:
        show: The Show with its current status.
        status: The new status.
        episode: The newest episode, which the new status summarizes.
    """
    return [*_ready_event(show, status), *_episode_event(show, status, episode)]


def _ready_event(show: ObservedShow, status: Mapping[str, Any]) -> Iterator[Event]:
    before, after = (_ready(each) for each in (show.status, status))
    identity = ("status", "reason", "observedGeneration")
    if all(before.get(field) == after.get(field) for field in identity):
        return
    event_type = "Normal" if after["status"] == "True" else "Warning"
    yield Event(event_type, after["reason"], after["message"])


def _ready(status: Mapping[str, Any]) -> Mapping[str, Any]:
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    return conditions.get("Ready") or {}


def _episode_event(
    show: ObservedShow, status: Mapping[str, Any], episode: EpisodeView | None
) -> Iterator[Event]:
    before, after = ((each.get("lastEpisode") or {}) for each in (show.status, status))
    identity = ("number", "state")
    if episode is None or all(before.get(field) == after.get(field) for field in identity):
        return
    if episode.state not in _EVENTS:
        return
    event_type, reason = _EVENTS[episode.state]
    count = f": {episode.taken} of {episode.considered} clips" if episode.considered else ""
    cause = ": ".join(text for text in (episode.reason, episode.message) if text)
    message = f"Episode {episode.number} {episode.name}{count}"
    yield Event(event_type, reason, f"{message} ({cause})" if cause else message)
