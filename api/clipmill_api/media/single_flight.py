"""Run a function once for all callers that ask for the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SingleFlight(Generic[K, T]):
    """Calls in progress, by what they are for. Used by the event loop only."""

    def __init__(self) -> None:
        self._calls: dict[K, asyncio.Future[T]] = {}

    async def run(self, key: K, call: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `call`, or of the call in progress with the same key."""
        running = self._calls.get(key)
        if running is None:
            running = self._calls[key] = asyncio.ensure_future(call())
            running.add_done_callback(lambda _: self._calls.pop(key, None))
        # A caller that is cancelled leaves the result to the others.
        return await asyncio.shield(running)
