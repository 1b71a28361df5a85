"""Why a Compilation waits for its pods, as its status says it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from clipmill_operator.building.resource import QueueSummary
from clipmill_operator.queueing.start_forecast import QueuePlace

OWN_QUEUE = "Queued"
# Up to this position each step is shown, from then on every tenth: each write costs a request.
EXACT_POSITIONS = 10
# An estimate that has moved by less is shown unchanged.
ESTIMATE_MOVES_S = 120.0


class QueueWait(NamedTuple):
    """Reason and message of a wait, and the place in the queue if there is one."""

    reason: str
    message: str
    queue: QueueSummary | None = None


def own_wait(place: QueuePlace | None, shown: Mapping[str, Any] | None, now: datetime) -> QueueWait:
    """Return the wait in the operator's own queue.

    Args:
        place: The place in the queue, if it is known.
        shown: `queue` of the current status. It stays while the place is almost the same.
        now: The time.
    """
    queue = _summary(place, now)
    if shown and _is_close(current := QueueSummary.model_validate(shown), queue):
        queue = current
    return QueueWait(OWN_QUEUE, _message(queue), queue)


def _summary(place: QueuePlace | None, now: datetime) -> QueueSummary:
    if place is None:
        return QueueSummary()
    position = place.position
    if position > EXACT_POSITIONS:
        position = -(-position // EXACT_POSITIONS) * EXACT_POSITIONS
    if place.starts_in_s is None:
        return QueueSummary(position=position)
    start = now.astimezone(UTC) + timedelta(seconds=place.starts_in_s)
    return QueueSummary(position=position, estimated_start=start.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _is_close(current: QueueSummary, queue: QueueSummary) -> bool:
    if (current.name, current.position) != (queue.name, queue.position):
        return False
    if current.estimated_start is None or queue.estimated_start is None:
        return current.estimated_start == queue.estimated_start
    before, after = map(datetime.fromisoformat, (current.estimated_start, queue.estimated_start))
    return abs((after - before).total_seconds()) < ESTIMATE_MOVES_S


def _message(queue: QueueSummary) -> str:
    message = "Waiting until a running Compilation ends: the limit is reached"
    if queue.position:
        among = "Position" if queue.position <= EXACT_POSITIONS else "Among the first"
        message += f". {among} {queue.position} in the queue"
    if queue.estimated_start:
        message += f", estimated start {queue.estimated_start}"
    return message
