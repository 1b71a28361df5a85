"""What no route is to see: a body over the limit, a NUL in a path (PostgreSQL takes none).

Uploads have a limit of their own, the announced one.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipmill_api.http.problem_details import reply

LIMIT_BYTES = 4 * 1024 * 1024
"""500 clips with the longest URLs and titles are under 2 MB."""


class BodyTooLarge(HTTPException):
    """More came than is read. An HTTPException: any other, the framework would call a 400."""

    def __init__(self) -> None:
        super().__init__(413, f"the body is over {LIMIT_BYTES} bytes")


class Door:
    """ASGI middleware: 413 for a body over the limit, by its header or by counting."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, counting."""
        if "\0" in scope.get("path", ""):
            await reply(404, "NotFound", "no path holds a NUL")(scope, receive, send)
            return
        if scope["type"] != "http" or _of_upload(scope):
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced[:20]) > LIMIT_BYTES:
            error = BodyTooLarge()
            await reply(413, "TooLarge", error.detail)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > LIMIT_BYTES:
                raise BodyTooLarge
            return message

        await self.app(scope, counted, send)


def _of_upload(scope: Scope) -> bool:
    """Whether the body is a file's bytes."""
    return scope["method"] == "PATCH" or (scope["method"], scope["path"]) == ("PUT", "/api/uploads")
