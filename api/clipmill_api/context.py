"""What every route is given: settings, database, store, clock. Nothing is global."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Request

from clipmill_api.database import Database
from clipmill_api.http.metrics import Metrics
from clipmill_api.media.blob_store import Store
from clipmill_api.settings import Settings

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """The edges of one API."""

    settings: Settings
    db: Database
    store: Store
    metrics: Metrics
    clock: Clock

    def now(self) -> str:
        """ISO, UTC, microseconds: sorts as text."""
        return iso(self.clock())

    def later(self, seconds: int) -> str:
        """The time `seconds` from now."""
        return iso(self.clock() + timedelta(seconds=seconds))

    def month(self) -> str:
        """The UTC calendar month that render time counts for: `2026-11`."""
        return self.clock().strftime("%Y-%m")


def iso(when: datetime) -> str:
    """One fixed form, so that text order is time order."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def new_id(letter: str) -> str:
    """A fresh random id: `m-3f...`."""
    return f"{letter}-{secrets.token_hex(8)}"


async def of_request(request: Request) -> Context:
    """The app's context. No coroutine by need: anything else would be given to a thread."""
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(of_request)]
