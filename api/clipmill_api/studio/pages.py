"""The dashboard at / and the API reference at /docs.

Their Content-Security-Policy forbids inline scripts, and anything from another host.
"""

from __future__ import annotations

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

STATIC = Path(__file__).parent / "static"
SWAGGER = Path(fastapi_offline.__file__).parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src "
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
DASHBOARD_HEADERS = {**_HEADERS, "Content-Security-Policy": f"{_POLICY}'self'"}
# Swagger UI sets styles on its elements.
REFERENCE_HEADERS = {**_HEADERS, "Content-Security-Policy": f"{_POLICY}'self' 'unsafe-inline'"}


class Assets(StaticFiles):
    """Files of a folder, with a header that forbids browsers to guess their type."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file."""

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        await super().__call__(scope, receive, send_with_header)


def install(app: FastAPI) -> None:
    """Add the pages and their assets to an app."""
    app.mount("/assets/swagger", Assets(directory=SWAGGER), name="swagger")
    app.mount("/assets", Assets(directory=STATIC), name="assets")
    app.get("/", include_in_schema=False)(_dashboard)
    app.get("/docs", include_in_schema=False)(_reference)


def _dashboard() -> FileResponse:
    return FileResponse(STATIC / "index.html", headers=DASHBOARD_HEADERS)


def _reference() -> FileResponse:
    return FileResponse(STATIC / "reference.html", headers=REFERENCE_HEADERS)
