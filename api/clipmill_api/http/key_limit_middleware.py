"""ASGI middleware that answers 429 to requests beyond the limits of their key."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clipmill_api.http.bodies.yaml_bodies import is_yaml
from clipmill_api.http.key_limits import (
    COSTLY_TOKENS,
    UPLOAD_TOKENS,
    KeyLimits,
    RateLimit,
    Refusal,
)
from clipmill_api.http.metrics import Metrics
from clipmill_api.http.problem_details import problem_response
from clipmill_api.settings import KEY, Settings

# A caller that ignores 429 is slowed down: its connection waits, which costs no thread.
MAX_PAUSE_S = 1.0
# Stands for all keys that cannot exist.
MALFORMED = "malformed"
# With an address, stands for all keys from there that no reply has proven to be valid. Each costs a
# query, and a caller who guesses keys uses each once.
UNPROVEN = "unproven"
UNAUTHORIZED = 401
_ID = "[^/]+"
# Requests that plan a timeline or decode a file.
_COSTLY = (
    ("POST", re.compile("/api/plan")),
    ("POST", re.compile("/api/compilations")),
    ("POST", re.compile(f"/api/compilations/{_ID}/preview")),
    ("PUT", re.compile(f"/api/compilations/{_ID}/spec")),
    ("GET", re.compile(f"/api/compilations/{_ID}/(plan|timeline.otio)")),
    ("POST", re.compile(f"/api/media/{_ID}/validate")),
)
_UPLOADING = ("POST", "PUT", "PATCH")
# A form (`/api/media`) holds a file too.
_UPLOADS = ("/api/uploads", "/api/media")


class KeyLimitMiddleware:
    """Refuse requests of users and jobs beyond the limits of their key.

    The operator and the administrator are not limited. A request without a key takes no thread
    before it is answered.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics
        self._limits = KeyLimits()
        self._limit = RateLimit(settings.requests_per_second, settings.requests_in_flight)
        self._unlimited = (settings.admin_key.encode(), settings.operator_key.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 429."""
        key = _key(scope.get("headers", ())) if scope["type"] == "http" else b""
        if not key or any(hmac.compare_digest(key, own) for own in self._unlimited):
            await self.app(scope, receive, send)
            return
        name, cost = _bucket(key), cost_of(scope)
        limit = self._limit.of_job() if key.startswith(b"cm_j_") else self._limit
        refusal = self._limits.enter(name, limit, cost)
        if refusal is not None:
            await self._refuse(refusal, scope, receive, send)
            return
        send_limits = _with_headers(send, self._limits.headers(name, limit))
        try:
            if self._limits.is_proven(name):
                await self.app(scope, receive, send_limits)
            else:
                await self._pass_unproven(name, scope, receive, send_limits)
        finally:
            self._limits.leave(name, cost)

    async def _pass_unproven(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request within the limit of unproven keys; a reply other than 401 proves it."""
        address = (scope.get("client") or ("",))[0]
        bucket = f"{UNPROVEN} {address}"
        refusal = self._limits.enter(bucket, self._limit.of_job())
        if refusal is not None:
            await self._refuse(refusal, scope, receive, send)
            return

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] != UNAUTHORIZED:
                self._limits.note_proven(name)
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            self._limits.leave(bucket)

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        self._metrics.refusals.labels("TooManyRequests").inc()
        await asyncio.sleep(min(MAX_PAUSE_S, refusal.retry_after_s))
        detail = f"requests: {refusal.rule} are allowed for a key; retry later"
        response = problem_response(429, "TooManyRequests", detail)
        response.headers.update(refusal.headers)
        await response(scope, receive, send)


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    """Return a `send` that adds headers to the response, unless it has them."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            response = MutableHeaders(scope=message)
            for name, value in headers.items():
                response.setdefault(name, value)
        await send(message)

    return send_with_headers


def _key(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the bearer token of a request, or nothing."""
    value = next((value for name, value in headers if name == b"authorization"), b"")
    scheme, _, key = value.partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else b""


def _bucket(key: bytes) -> str:
    """Return the name under which a key's requests are counted, which is not the key itself."""
    if not KEY.fullmatch(key.decode("latin-1")):
        return MALFORMED
    return hashlib.sha256(key).hexdigest()


def cost_of(scope: Scope) -> int:
    """Return how many tokens a request takes."""
    method, path = scope["method"], scope["path"]
    content_type = next((v for name, v in scope.get("headers", ()) if name == b"content-type"), b"")
    if is_yaml(content_type.decode("latin-1")):
        return COSTLY_TOKENS
    if any(method == costly and pattern.fullmatch(path) for costly, pattern in _COSTLY):
        return COSTLY_TOKENS
    is_upload = method in _UPLOADING and path.startswith(_UPLOADS)
    return UPLOAD_TOKENS if is_upload else 1
