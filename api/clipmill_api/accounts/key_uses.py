"""When keys of people were last used: noted in memory by each request, stored once a minute."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from fastapi.concurrency import run_in_threadpool

from clipmill_api.database import UNAVAILABLE, Database
from clipmill_api.queries import users_and_keys

INTERVAL_S = 60
log = logging.getLogger(__name__)


class KeyUses:
    """The last use of each key since they were stored."""

    def __init__(self) -> None:
        self._used_at: dict[str, datetime] = {}

    def note(self, key_id: str, at: datetime) -> None:
        """Note the use of a key."""
        self._used_at[key_id] = at

    def store(self, db: Database) -> None:
        """Store what was noted. It is noted again if the database does not answer."""
        used_at, self._used_at = self._used_at, {}
        if not used_at:
            return
        try:
            db.write(lambda session: users_and_keys.store_key_uses(session, used_at))
        except UNAVAILABLE as error:
            self._used_at = used_at | self._used_at
            log.warning("uses of keys not stored error=%s", type(error).__name__)

    @asynccontextmanager
    async def stored_periodically(self, db: Database) -> AsyncIterator[None]:
        """Store every minute while the context is open, and at its end."""

        async def store_forever() -> None:
            while True:
                await asyncio.sleep(INTERVAL_S)
                await run_in_threadpool(self.store, db)

        task = asyncio.create_task(store_forever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.store(db)
