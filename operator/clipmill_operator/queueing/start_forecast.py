"""When waiting Compilations are expected to start, by the speed of those that have ended. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import NamedTuple

from clipmill_operator.queueing.fair_order import Candidate, FairOrder


class QueuePlace(NamedTuple):
    """The place of a waiting Compilation: 1 starts next."""

    position: int
    # None as long as no Compilation has ended, by which the time could be estimated.
    starts_in_s: float | None = None


class Running(NamedTuple):
    """An admitted Compilation: its render seconds, and how long it has been admitted."""

    owner: str
    cost_s: int
    elapsed_s: float


def forecast(
    order: FairOrder, running: Iterable[Running], seconds_per_cost: float | None
) -> dict[str, QueuePlace]:
    """Return the places of all candidates by uid.

    Args:
        order: The candidates in their order; it is used up.
        running: The admitted Compilations.
        seconds_per_cost: Seconds from admission to end for each render second, if it is known.
    """
    speed = seconds_per_cost or 0.0
    ends = [(max(0.0, each.cost_s * speed - each.elapsed_s), each.owner) for each in running]
    heapq.heapify(ends)
    places: dict[str, QueuePlace] = {}
    at_s = 0.0
    while True:
        for candidate in iter(order.take, None):
            starts_in_s = None if seconds_per_cost is None else at_s
            places[candidate.uid] = QueuePlace(len(places) + 1, starts_in_s)
            heapq.heappush(ends, (at_s + _duration_s(candidate, speed), candidate.owner))
        if not ends:
            return places
        at_s, owner = heapq.heappop(ends)
        order.end(owner)


def _duration_s(candidate: Candidate, speed: float) -> float:
    return max(1, candidate.cost_s) * speed
