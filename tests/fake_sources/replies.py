"""Requests and responses of the stand-ins, apart from HTTP."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request: `query` holds the parameters of the URL and of a form."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    def value(self, name: str) -> str:
        """Return a parameter's first value, or an empty string."""
        return self.query.get(name, [""])[0]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A response."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a response of JSON."""
    kind = {"Content-Type": "application/json"}
    return Reply(status=status, body=json.dumps(content).encode(), headers=kind | (headers or {}))


class Bucket:
    """A rate limit: `limit` requests of each `window_s` seconds."""

    def __init__(self, limit: int, window_s: float, now: Callable[[], float]) -> None:
        self.limit = limit
        self.window_s = window_s
        self._now = now
        self.reset_at = 0.0
        self.remaining = limit

    def take(self) -> bool:
        """Take a request and return whether the limit allows it."""
        now = self._now()
        if now >= self.reset_at:
            self.reset_at, self.remaining = now + self.window_s, self.limit
        self.remaining -= 1
        return self.remaining >= 0

    def headers(self) -> dict[str, str]:
        """Return the headers of Twitch: the time of the reset in whole seconds."""
        return {
            "Ratelimit-Limit": str(self.limit),
            "Ratelimit-Remaining": str(max(0, self.remaining)),
            "Ratelimit-Reset": str(math.ceil(self.reset_at)),
        }
