"""ASGI middleware: one route answers `/api` and `/api/v1`, GET and HEAD."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

VERSIONED = "/api/v1/"
PLAIN = "/api/"
# Downloads answer HEAD by themselves, without reading the file.
_CONTENT = "/content"
_OUTPUTS = "/outputs/"
_SHARED = "/api/shared/"


class RequestFormsMiddleware:
    """Pass on `/api/v1/...` as `/api/...`, and a HEAD as a GET whose body is not sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on in the form that has a route."""
        if scope["type"] == "http":
            path = scope["path"]
            if path.startswith(VERSIONED):
                scope = {**scope, "path": PLAIN + path[len(VERSIONED) :]}
            if scope["method"] == "HEAD" and not _answers_head(scope["path"]):
                await self._head({**scope, "method": "GET"}, receive, send)
                return
        await self.app(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head of the response; of an event stream nothing more is waited for."""
        is_stream = asyncio.Event()

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                if dict(message["headers"]).get(b"content-type", b"").startswith(b"text/event"):
                    is_stream.set()

        response = asyncio.ensure_future(self.app(scope, receive, send_head))
        stream = asyncio.ensure_future(is_stream.wait())
        await asyncio.wait({response, stream}, return_when=asyncio.FIRST_COMPLETED)
        stream.cancel()
        if is_stream.is_set():
            response.cancel()
        with suppress(asyncio.CancelledError):
            await response


def _answers_head(path: str) -> bool:
    return path.endswith(_CONTENT) or _OUTPUTS in path or path.startswith(_SHARED)
