"""The time of the database, so that replicas agree on it although their machines do not.

A lease that one replica gives would otherwise be over at once for a replica whose clock is ahead,
and a second pod would get the task that the first one works on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from fastapi.concurrency import run_in_threadpool

from clipmill_api.database import UNAVAILABLE, Database

log = logging.getLogger(__name__)
INTERVAL_S = 60
REQUESTS = 3
# A larger difference is logged.
NOTABLE = timedelta(seconds=5)


class DatabaseClock:
    """The time of this machine, corrected by its difference from PostgreSQL's.

    SQLite has the time of this machine.
    """

    def __init__(self, db: Database, system_clock: Callable[[], datetime]) -> None:
        self._db = db
        self._system_clock = system_clock
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return self._system_clock() + self._ahead

    def measure(self) -> None:
        """Measure the difference. Raise one of UNAVAILABLE if the database does not answer.

        The quickest of some requests counts: the first one may have to connect, and the error of
        each is at most half of the time that it takes.
        """
        samples = [sample for _ in range(REQUESTS) if (sample := self._sample()) is not None]
        if not samples:
            return
        _, ahead = min(samples)
        if abs(ahead - self._ahead) > NOTABLE:
            log.warning("clock differs from the database's ahead_s=%.1f", -ahead.total_seconds())
        self._ahead = ahead

    def _sample(self) -> tuple[timedelta, timedelta] | None:
        """Return how long a request took, and by how much the database is ahead."""
        before = self._system_clock()
        time = self._db.server_time()
        if time is None:
            return None
        taken = self._system_clock() - before
        return taken, time - (before + taken / 2)

    @asynccontextmanager
    async def measured_periodically(self) -> AsyncIterator[None]:
        """Measure every minute while the context is open."""
        task = asyncio.create_task(self._measure_forever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _measure_forever(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_S)
            with suppress(*UNAVAILABLE):  # until the next time, the last difference holds
                await run_in_threadpool(self.measure)
