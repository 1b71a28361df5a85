"""Count the SQL statements of requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from clipmill_api.context import Context
from clipmill_client.errors import PermanentError


class StatementCounter:
    """Counts the statements of each named request."""

    def __init__(self, ctx: Context) -> None:
        self._engines = ctx.db.engines
        self._current = 0
        self.counts: dict[str, int] = {}

    def _count(self, *_: object) -> None:
        self._current += 1

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count the statements that are sent within the context."""
        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", self._count)
        yield
        for engine in self._engines:
            event.remove(engine, "before_cursor_execute", self._count)

    def of(self, name: str, request: Callable[[], Any]) -> Any:
        """Make a request and store its count; a refusal takes statements too."""
        self._current = 0
        try:
            return request()
        except PermanentError as error:
            return error
        finally:
            self.counts[name] = self._current
