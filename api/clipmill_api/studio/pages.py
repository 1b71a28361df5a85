"""Pages for people: the dashboard at /, the API's reference at /docs. All comes from here.

No script, style or picture of another host, no script within the page: the header says so too.
"""

from __future__ import annotations

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

HERE = Path(__file__).parent / "static"
SWAGGER = Path(fastapi_offline.__file__).parent / "static"
_ONLY_OURS = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
    "media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src "
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
DASHBOARD = {**_HEADERS, "Content-Security-Policy": f"{_ONLY_OURS}'self'"}
REFERENCE = {**_HEADERS, "Content-Security-Policy": f"{_ONLY_OURS}'self' 'unsafe-inline'"}
"""Swagger UI sets styles on its elements."""


class Assets(StaticFiles):
    """Files of a folder, which a browser takes for nothing else than they are."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, with the header."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        await super().__call__(scope, receive, marked)


def install(app: FastAPI) -> None:
    """Serve the pages."""
    app.mount("/assets/swagger", Assets(directory=SWAGGER), name="swagger")
    app.mount("/assets", Assets(directory=HERE), name="assets")
    app.get("/", include_in_schema=False)(_dashboard)
    app.get("/docs", include_in_schema=False)(_reference)


def _dashboard() -> FileResponse:
    return FileResponse(HERE / "index.html", headers=DASHBOARD)


def _reference() -> FileResponse:
    return FileResponse(HERE / "reference.html", headers=REFERENCE)
