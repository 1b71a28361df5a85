"""A bound on request bodies, before anything reads them. Uploads have their own, announced one."""

from __future__ import annotations

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT_BYTES = 4 * 1024 * 1024
"""500 clips with the longest URLs and titles are under 2 MB."""


class BodyTooLarge(Exception):
    """More came than is read."""


class BodyLimit:
    """ASGI middleware: 413 for a body over the limit, by its header or by counting."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting."""
        if scope["type"] != "http" or scope["method"] == "PATCH":
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > LIMIT_BYTES:
            await _refuse(send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > LIMIT_BYTES:
                raise BodyTooLarge
            return message

        try:
            await self.app(scope, counted, send)
        except BodyTooLarge:
            await _refuse(send)


async def _refuse(send: Send) -> None:
    body = {
        "type": "about:blank",
        "title": "Content Too Large",
        "status": 413,
        "detail": f"the body is over {LIMIT_BYTES} bytes",
        "code": "TooLarge",
    }
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
