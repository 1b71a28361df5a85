"""The trace of the caller of a request, from its header `traceparent`."""

from __future__ import annotations

from contextvars import ContextVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

CALLER: ContextVar[str | None] = ContextVar("caller_traceparent", default=None)


class CallerTraceMiddleware:
    """Keeps the header of a request for what is done in its context."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = CALLER.set(Headers(scope=scope).get("traceparent"))
        try:
            await self._app(scope, receive, send)
        finally:
            CALLER.reset(token)
