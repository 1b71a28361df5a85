"""A stand-in for the Twitch API: tokens, users, games, clips."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fake_sources.replies import Asked, Bucket, Reply, json_reply

# The API rounds the times of a query down to whole multiples of this.
GRAIN_S = 600
Clip = dict[str, Any]


def clip(number: int, *, created_at: datetime, url: str | None = None, **fields: Any) -> Clip:
    """Return a clip with all fields that the API has."""
    slug = f"CleverFox{number:05d}-aB_{number:x}"
    page = url or f"https://clips.twitch.tv/{slug}"
    return {
        "id": slug,
        "url": page,
        "embed_url": f"https://clips.twitch.tv/embed?clip={slug}",
        "broadcaster_id": "1001",
        "broadcaster_name": "RookLift",
        "creator_id": str(5000 + number % 40),
        "creator_name": f"viewer_{number % 40}",
        "video_id": "",
        "game_id": "743",
        "language": "en",
        "title": f"Clip {number}",
        "view_count": 10_000 - number,
        "created_at": created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "thumbnail_url": f"https://clips-media-assets2.twitch.tv/{slug}-preview-480x272.jpg",
        "duration": 20.5,
        "vod_offset": None,
        "is_featured": False,
    } | fields


class FakeHelix:
    """The API's state. Attributes may be changed while it is served."""

    def __init__(self, clips: Sequence[Clip] = (), *, now: Callable[[], float] = time.time) -> None:
        self.clips = list(clips)
        self.users = {"rooklift": "1001", "pawnstorm": "1002"}
        self.games = {"Chess": "743", "Go": "744"}
        self.clients = {"clientoftests": "secret-of-tests"}
        self.tokens: dict[str, str] = {}
        self.bucket = Bucket(800, 60, now)
        self.cap = 1000
        # The API has been observed to repeat clips under new cursors beyond its limit.
        self.repeats_beyond_cap = False
        self.failures: list[int] = []
        self.requests: list[Asked] = []
        self._now = now

    def expire_tokens(self) -> None:
        """Make all tokens invalid."""
        self.tokens.clear()

    def respond(self, asked: Asked) -> Reply | None:
        """Return a response, or None if this is no path of the API."""
        if asked.path == "/oauth2/token":
            self.requests.append(asked)
            return self._token(asked)
        if not asked.path.startswith("/helix/"):
            return None
        self.requests.append(asked)
        if self.failures:
            return json_reply(self.failures.pop(0), {"message": "service unavailable"})
        refused = self._refusal(asked)
        if refused:
            return refused
        if not self.bucket.take():
            return self._error(429, "Too Many Requests", "request limit was exceeded")
        resources = {"clips": self._clips, "users": self._users, "games": self._games}
        answer = resources.get(asked.path.removeprefix("/helix/"))
        return answer(asked) if answer else self._error(404, "Not Found", "")

    def _token(self, asked: Asked) -> Reply:
        secret = self.clients.get(asked.value("client_id"))
        if asked.method != "POST" or asked.value("grant_type") != "client_credentials":
            return json_reply(400, {"status": 400, "message": "missing grant type"})
        if secret is None:
            return json_reply(400, {"status": 400, "message": "invalid client"})
        if asked.value("client_secret") != secret:
            return json_reply(403, {"status": 403, "message": "invalid client secret"})
        token = secrets.token_hex(15)
        self.tokens[token] = asked.value("client_id")
        body = {"access_token": token, "expires_in": 5_011_271, "token_type": "bearer"}
        return json_reply(200, body)

    def _refusal(self, asked: Asked) -> Reply | None:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return self._error(401, "Unauthorized", "OAuth token is missing")
        if token not in self.tokens:
            return self._error(401, "Unauthorized", "Invalid OAuth token")
        if self.tokens[token] != asked.headers.get("client-id"):
            return self._error(401, "Unauthorized", "Client ID and OAuth token do not match")
        return None

    def _error(self, status: int, error: str, message: str) -> Reply:
        body = {"error": error, "status": status, "message": message}
        return json_reply(status, body, self.bucket.headers())

    def _data(self, data: list[Any], **more: Any) -> Reply:
        return json_reply(200, {"data": data, **more}, self.bucket.headers())

    def _users(self, asked: Asked) -> Reply:
        logins, ids = asked.query.get("login", []), asked.query.get("id", [])
        if len(logins) + len(ids) > 100:
            return self._error(400, "Bad Request", "more than 100 ids and logins")
        wanted = {login.lower() for login in logins}
        rows = [(n, i) for n, i in self.users.items() if n in wanted or i in ids]
        return self._data([_user(name, number) for name, number in rows])

    def _games(self, asked: Asked) -> Reply:
        names, ids = asked.query.get("name", []), asked.query.get("id", [])
        if len(names) + len(ids) > 100 or not names + ids:
            return self._error(400, "Bad Request", "1 to 100 ids and names are needed")
        rows = [(n, i) for n, i in self.games.items() if n in names or i in ids]
        art = "https://static-cdn.jtvnw.net/ttv-boxart/{width}x{height}.jpg"
        games = [{"id": i, "name": n, "box_art_url": art, "igdb_id": ""} for n, i in rows]
        return self._data(games)

    def _clips(self, asked: Asked) -> Reply:
        filters = [name for name in ("broadcaster_id", "game_id", "id") if name in asked.query]
        if len(filters) != 1:
            return self._error(400, "Bad Request", "exactly one of id, game_id, broadcaster_id")
        if filters == ["id"]:
            ids = asked.query["id"]
            if len(ids) > 100:
                return self._error(400, "Bad Request", "more than 100 ids")
            return self._data([c for c in self.clips if c["id"] in ids], pagination={})
        first = int(asked.value("first") or 20)
        if not 1 <= first <= 100:
            return self._error(400, "Bad Request", "first is not within 1 to 100")
        name = filters[0]
        return self._page(
            [c for c in self._window(asked) if c[name] == asked.value(name)], asked, first
        )

    def _window(self, asked: Asked) -> list[Clip]:
        start, end = _time(asked.value("started_at")), _time(asked.value("ended_at"))
        if start and not end:
            end = start + timedelta(days=7)
        now = datetime.fromtimestamp(self._now(), UTC)
        low = _rounded(start) if start else datetime.min.replace(tzinfo=UTC)
        high = min(now, _rounded(end)) if start and end else now
        clips = [c for c in self.clips if low <= _time(c["created_at"]) < high]
        return sorted(clips, key=lambda c: -c["view_count"])

    def _page(self, clips: list[Clip], asked: Asked, first: int) -> Reply:
        cursor = asked.value("after")
        offset = int(base64.urlsafe_b64decode(cursor)) if cursor else 0
        shown = clips[: self.cap]
        end = offset + first
        if self.repeats_beyond_cap and offset >= len(shown):
            return self._data(shown[:first], pagination={"cursor": _cursor(end)})
        more = end < len(shown) or (self.repeats_beyond_cap and len(clips) > self.cap)
        return self._data(shown[offset:end], pagination={"cursor": _cursor(end)} if more else {})


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode()


def _time(text: str) -> Any:
    return datetime.fromisoformat(text) if text else None


def _rounded(time_: datetime) -> datetime:
    seconds = int(time_.timestamp())
    return datetime.fromtimestamp(seconds - seconds % GRAIN_S, UTC)


def _user(login: str, number: str) -> dict[str, Any]:
    return {
        "id": number,
        "login": login,
        "display_name": login.title(),
        "type": "",
        "broadcaster_type": "partner",
        "description": "",
        "profile_image_url": "",
        "offline_image_url": "",
        "view_count": 0,
        "created_at": "2016-12-14T20:32:28Z",
    }
