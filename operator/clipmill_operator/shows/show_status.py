"""The status of a Show: a summary of the API's view. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from clipmill.shows.show_messages import EpisodeView, ShowView
from clipmill_operator.building.show_resource import (
    MAX_ACTIVE_EPISODES,
    EpisodeSummary,
    ShowCondition,
    ShowStatus,
)
from clipmill_operator.reconciling.actions import SpecRefusal
from clipmill_operator.reconciling.conditions import MESSAGE_CHARS, Finding, conditions_of
from clipmill_operator.watching.observed import ObservedShow


def registered_show_status(show: ObservedShow, view: ShowView, now: str) -> dict[str, Any]:
    """Return the status of a Show whose newest generation the API has."""
    ready = Finding("Ready", "True", "Scheduled", "Episodes start by the schedule")
    if not view.ready:
        ready = Finding("Ready", "False", view.reason or "NotReady", view.message[:MESSAGE_CHARS])
    status = ShowStatus(
        observed_generation=show.generation,
        show_id=view.id,
        owner=view.owner,
        next_schedule_time=_time(view.next_at),
        last_schedule_time=_time(view.last_at),
        last_successful_time=_time(view.last_successful_at),
        last_episode=_summary(view.last_episode),
        active=list(view.active)[:MAX_ACTIVE_EPISODES],
        conditions=_conditions(show, [ready, _suspended(show)], now),
    )
    return _dump(status)


def refused_show_status(show: ObservedShow, refusal: SpecRefusal, now: str) -> dict[str, Any]:
    """Return the current status of a Show with the reason why its spec is refused."""
    ready = Finding("Ready", "False", refusal.reason, refusal.message[:MESSAGE_CHARS])
    current = ShowStatus.model_validate({"observedGeneration": 0, **show.status})
    changes = {
        "observed_generation": show.generation,
        "next_schedule_time": None,
        "conditions": _conditions(show, [ready, _suspended(show)], now),
    }
    return _dump(current.model_copy(update=changes))


def _suspended(show: ObservedShow) -> Finding:
    if show.spec.get("suspend"):
        return Finding("Suspended", "True", "Suspended", "spec.suspend is true")
    return Finding("Suspended", "False", "NotSuspended", "spec.suspend is false")


def _conditions(show: ObservedShow, findings: Iterable[Finding], now: str) -> list[ShowCondition]:
    return [ShowCondition(**dict(each)) for each in conditions_of(show, findings, now)]


def _summary(episode: EpisodeView | None) -> EpisodeSummary | None:
    if episode is None:
        return None
    return EpisodeSummary(
        name=episode.name,
        number=episode.number,
        scheduled_at=_time(episode.scheduled_at) or "",
        state=episode.state,
        reason=episode.reason or None,
        clips=f"{episode.taken}/{episode.considered}" if episode.considered else None,
    )


def _time(time: datetime | None) -> str | None:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else None


def _dump(status: ShowStatus) -> dict[str, Any]:
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)
