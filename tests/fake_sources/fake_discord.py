"""A stand-in for the Discord API: the messages of channels."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fake_sources.replies import Asked, Bucket, Reply, json_reply

EPOCH_MS = 1_420_070_400_000
PREFIX = "/api/v10"
Message = dict[str, Any]


def message_id(written_at: datetime, number: int = 0) -> str:
    """Return an id that holds the time, as Discord's do."""
    return str((int(written_at.timestamp() * 1000) - EPOCH_MS << 22) + number)


def message(content: str, *, written_at: datetime, number: int = 0, **fields: Any) -> Message:
    """Return a message with the fields that the API has."""
    author = {
        "id": "80351110224678912",
        "username": "rook",
        "discriminator": "0",
        "global_name": "Rook Lift",
        "avatar": None,
    }
    return {
        "id": message_id(written_at, number),
        "type": 0,
        "channel_id": "112233445566778899",
        "content": content,
        "author": author,
        "attachments": [],
        "embeds": [],
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "pinned": False,
        "tts": False,
        "timestamp": written_at.astimezone(UTC).isoformat(),
        "edited_timestamp": None,
        "flags": 0,
        "components": [],
        "reactions": [],
    } | fields


def reaction(emoji: str, number: int) -> dict[str, Any]:
    """Return a reaction of a message."""
    details = {"burst": 0, "normal": number}
    return {
        "emoji": {"id": None, "name": emoji},
        "count": number,
        "count_details": details,
        "burst_colors": [],
        "me": False,
        "me_burst": False,
    }


def attachment(url: str, *, filename: str, content_type: str | None = None) -> dict[str, Any]:
    """Return a file of a message."""
    file = {"id": "9001", "filename": filename, "size": 100, "url": url, "proxy_url": url}
    return file | ({"content_type": content_type} if content_type else {})


class FakeDiscord:
    """The API's state. Attributes may be changed while it is served."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.channels: dict[str, list[Message]] = {}
        self.closed_channels: set[str] = set()
        self.tokens = {"bot-token-of-tests"}
        self.bucket = Bucket(50, 1, now)
        self.failures: list[int] = []
        self.requests: list[Asked] = []
        self._now = now

    def respond(self, asked: Asked) -> Reply | None:
        """Return a response, or None if this is no path of the API."""
        if not asked.path.startswith(PREFIX):
            return None
        self.requests.append(asked)
        if self.failures:
            return json_reply(self.failures.pop(0), {"message": "internal error", "code": 0})
        if asked.headers.get("authorization", "").removeprefix("Bot ") not in self.tokens:
            return json_reply(401, {"message": "401: Unauthorized", "code": 0})
        if not self.bucket.take():
            return self._limited()
        steps = asked.path.removeprefix(PREFIX).strip("/").split("/")
        if steps == ["users", "@me"]:
            me = {"id": "1", "username": "bot", "discriminator": "0", "avatar": None, "bot": True}
            return json_reply(200, me, self._headers())
        if len(steps) == 3 and steps[0] == "channels" and steps[2] == "messages":
            return self._messages(steps[1], asked)
        return json_reply(404, {"message": "404: Not Found", "code": 0}, self._headers())

    def _headers(self) -> dict[str, str]:
        after_s = max(0.0, self.bucket.reset_at - self._now())
        return {
            "X-RateLimit-Limit": str(self.bucket.limit),
            "X-RateLimit-Remaining": str(max(0, self.bucket.remaining)),
            "X-RateLimit-Reset": f"{self.bucket.reset_at:.3f}",
            "X-RateLimit-Reset-After": f"{after_s:.3f}",
            "X-RateLimit-Bucket": "80c17d2f203122d936070c88c8d10f33",
            "Via": "1.1 google",
        }

    def _limited(self) -> Reply:
        after_s = max(0.0, self.bucket.reset_at - self._now())
        body = {
            "message": "You are being rate limited.",
            "retry_after": round(after_s, 3),
            "global": False,
        }
        headers = {"Retry-After": str(int(after_s) + 1), "X-RateLimit-Scope": "user"}
        return json_reply(429, body, self._headers() | headers)

    def _messages(self, channel: str, asked: Asked) -> Reply:
        if channel in self.closed_channels:
            return json_reply(403, {"message": "Missing Access", "code": 50001}, self._headers())
        if channel not in self.channels:
            return json_reply(404, {"message": "Unknown Channel", "code": 10003}, self._headers())
        limit = int(asked.value("limit") or 50)
        if not 1 <= limit <= 100:
            body = {"message": "Invalid Form Body", "code": 50035}
            return json_reply(400, body, self._headers())
        before = int(asked.value("before") or 2**63)
        newest = sorted(self.channels[channel], key=lambda m: -int(m["id"]))
        page = [m for m in newest if int(m["id"]) < before][:limit]
        return json_reply(200, page, self._headers())
