"""How many compilations have pods at once: the oldest first, each owner up to its share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Waiting(NamedTuple):
    """A compilation that wants to start; the oldest sorts first."""

    created: str
    uid: str
    owner: str


def admitted(
    holders: Mapping[str, str], waiting: Iterable[Waiting], *, most: int, most_of_owner: int
) -> list[str]:
    """The uids that may start now. `holders`: owner by uid of those that have started."""
    free = most - len(holders)
    of_owner = Counter(holders.values())
    starting: list[str] = []
    for one in sorted(waiting):
        if len(starting) >= free:
            break
        if of_owner[one.owner] < most_of_owner:
            of_owner[one.owner] += 1
            starting.append(one.uid)
    return starting
