"""Slots for the inspection of media files. A request waits for one without a thread."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from clipmill_api.http.problem_details import ApiProblem

# Of the places in the queue, one owner can take half.
OWNER_SHARE = 2
# Below the time-outs of clients, so that a request that waits in vain is answered.
MAX_WAIT_S = 240.0


class ProbeQueue:
    """A bounded queue in front of a number of slots.

    Args:
        slots: Inspections at the same time. Each is a process that can use a whole core.
        places: Requests that may wait for a slot.
        max_wait_s: Longest wait for a slot in seconds.
    """

    def __init__(self, *, slots: int, places: int, max_wait_s: float = MAX_WAIT_S) -> None:
        self._slots = asyncio.Semaphore(slots)
        self._places = places
        self._max_wait_s = max_wait_s
        self._waiting: Counter[str] = Counter()

    @asynccontextmanager
    async def slot(self, owner: str) -> AsyncIterator[None]:
        """Wait for a slot, and hold it while the context is open.

        Raises:
            ApiProblem: 503 if the queue is full, or no slot was free in time.
        """
        self._refuse_if_full(owner)
        self._waiting[owner] += 1
        try:
            async with asyncio.timeout(self._max_wait_s):
                await self._slots.acquire()
        except TimeoutError:
            raise _queue_full(f"no slot was free within {self._max_wait_s:g} s") from None
        finally:
            self._waiting[owner] -= 1
            self._waiting += Counter()  # drops owners without waiting requests
        try:
            yield
        finally:
            self._slots.release()

    def _refuse_if_full(self, owner: str) -> None:
        if not self._slots.locked():
            return
        if self._waiting.total() >= self._places:
            raise _queue_full(f"{self._places} files wait already")
        own_places = max(1, self._places // OWNER_SHARE)
        if self._waiting[owner] >= own_places:
            raise _queue_full(f"{own_places} files of this owner wait already")


def _queue_full(cause: str) -> ApiProblem:
    return ApiProblem(503, "ProbeQueueFull", f"the file cannot be inspected now: {cause}")
