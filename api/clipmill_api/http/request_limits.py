"""Limits that hold before any route: the size of a body, and no NUL in a path."""

from __future__ import annotations

import sys

from starlette.types import ASGIApp, Receive, Scope, Send

from clipmill_api.http.problem_details import problem_response

# 500 clips with the longest URLs and titles are less than 2 MB.
MAX_BODY_BYTES = 4 * 1024 * 1024
# Ten thousand candidates with titles and URLs of usual length.
MAX_DISCOVERY_BYTES = 16 * 1024 * 1024
DISCOVERY_RESULT = "/api/jobs/discovery/result"
# Requests whose body is a file, besides PATCH.
FILES = (("PUT", "/api/uploads"), ("POST", "/api/media"))
# For routes that count a file's bytes themselves: None would mean the limit of their router.
NO_LIMIT = sys.maxsize


class RequestLimitMiddleware:
    """ASGI middleware that answers 413 for a Content-Length above the limit.

    FastAPI's `max_body_size` counts the bytes that arrive, but answers an announced length
    without problem details. PostgreSQL takes no NUL, so no path holds one either.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that exceeds a limit, and pass on any other."""
        app = self.app
        if "\0" in scope.get("path", ""):
            app = problem_response(404, "NotFound", "path: contains a NUL character")
        elif scope["type"] == "http" and not _uploads_file(scope) and _announces_too_much(scope):
            detail = f"body: at most {_limit(scope)} bytes are allowed"
            app = problem_response(413, "TooLarge", detail)
        await app(scope, receive, send)


def _uploads_file(scope: Scope) -> bool:
    return scope["method"] == "PATCH" or (scope["method"], scope["path"]) in FILES


def _announces_too_much(scope: Scope) -> bool:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return bool(length.isdigit() and int(length[:20]) > _limit(scope))


def _limit(scope: Scope) -> int:
    return MAX_DISCOVERY_BYTES if scope["path"] == DISCOVERY_RESULT else MAX_BODY_BYTES
