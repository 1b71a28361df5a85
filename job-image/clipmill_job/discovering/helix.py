"""The Twitch API: an app token, names to ids, pages of clips."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from clipmill.shows.candidates import TwitchCredentials
from clipmill_job.discovering.bounded_http import HttpReply
from clipmill_job.discovering.candidate_fields import line
from clipmill_job.discovering.paced_requests import PacedRequests, header_number
from clipmill_job.discovering.source_errors import SourceError
from clipmill_job.discovering.source_reader import ReaderTools, SourceTask

# Names, ids, or clips of one request.
BATCH = 100
Params = list[tuple[str, str]]


class HelixClip(BaseModel):
    """A clip as the API describes it."""

    id: str = Field(max_length=200)
    url: str
    broadcaster_name: str = ""
    creator_name: str = ""
    video_id: str = ""
    game_id: str = ""
    language: str = ""
    title: str = ""
    view_count: int = 0
    created_at: AwareDatetime
    duration: float = 0
    vod_offset: int | None = None


def helix_wait_s(reply: HttpReply, now: float) -> float:
    """Return the seconds until the API takes another request.

    Args:
        reply: Its last response, with the headers Ratelimit-Remaining and -Reset (Unix time).
        now: The current Unix time.
    """
    remaining = header_number(reply.headers, "ratelimit-remaining")
    if reply.status != 429 and (remaining is None or remaining >= 1):
        return 0
    reset = header_number(reply.headers, "ratelimit-reset")
    # At least a second: the clock here may be ahead of the one there.
    return max(1, reset - now) if reset is not None else 1


class Helix:
    """The API with the credentials of one source."""

    def __init__(
        self, task: SourceTask, credentials: TwitchCredentials, tools: ReaderTools
    ) -> None:
        self._base = task.base_url("twitch")
        self._token_url = f"{task.base_url('twitch-auth')}/token"
        self._field = task.field("credentials")
        self._name = task.query.query.credentials
        self._credentials = credentials
        self._hide = tools.hide
        self._requests = PacedRequests("Twitch", tools, helix_wait_s)
        self._token = ""

    def ids_of(self, resource: str, parameter: str, names: Sequence[str]) -> dict[str, str]:
        """Return the ids of names, by the name in lower case. Unknown names are absent.

        Args:
            resource: `users` or `games`.
            parameter: Of the request and of its objects: `login` or `name`.
            names: Names of any number.
        """
        objects = self._objects_of(resource, parameter, names)
        return {str(o.get(parameter, "")).lower(): str(o["id"]) for o in objects if "id" in o}

    def games_of(self, ids: Sequence[str]) -> dict[str, str]:
        """Return the names of games by their ids."""
        objects = self._objects_of("games", "id", ids)
        return {str(o.get("id")): str(o.get("name", "")) for o in objects}

    def clips_of(self, ids: Sequence[str]) -> Iterator[HelixClip]:
        """Yield the clips of ids. Unknown ids are absent."""
        for item in self._objects_of("clips", "id", ids):
            yield from _clips([item])

    def clip_page(
        self, of: tuple[str, str], start: datetime, end: datetime, cursor: str
    ) -> tuple[list[HelixClip], str]:
        """Return a page of clips, most viewed first, and the cursor of the next one.

        Args:
            of: `broadcaster_id` or `game_id`, and its value.
            start: Clips are created at this time or later.
            end: Clips are created before this time.
            cursor: Of the page before; empty for the first one.
        """
        params = [of, ("first", str(BATCH)), ("started_at", _utc(start)), ("ended_at", _utc(end))]
        body = self._get("clips", params + ([("after", cursor)] if cursor else []))
        pagination = body.get("pagination")
        following = pagination.get("cursor") if isinstance(pagination, dict) else None
        return _clips(_data(body)), following if isinstance(following, str) else ""

    def _objects_of(
        self, resource: str, parameter: str, values: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        for first in range(0, len(values), BATCH):
            params = [(parameter, value) for value in values[first : first + BATCH]]
            yield from _data(self._get(resource, [*params, ("first", str(BATCH))]))

    def _get(self, resource: str, params: Params) -> dict[str, Any]:
        """Return the body of a response; a token that has expired is replaced once."""
        fresh = not self._token
        reply = self._send(resource, params)
        if reply.status == 401 and not fresh:
            self._token = ""
            reply = self._send(resource, params)
        if reply.status in (401, 403):
            raise self._refused(f"refuses a token of this client: {_message(reply)}")
        if reply.status != 200:
            detail = f"Twitch responded {reply.status} for {resource}: {_message(reply)}"
            raise SourceError("SourceFailed", detail)
        body = reply.json()
        if not isinstance(body, dict):
            raise SourceError("BadReply", f"Twitch's response for {resource} is no JSON object")
        return body

    def _send(self, resource: str, params: Params) -> HttpReply:
        self._token = self._token or self._new_token()
        headers = {
            "Client-Id": self._credentials.client_id,
            "Authorization": f"Bearer {self._token}",
        }
        return self._requests.get(f"{self._base}/{resource}", headers=headers, params=params)

    def _new_token(self) -> str:
        form = {
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "grant_type": "client_credentials",
        }
        reply = self._requests.send("POST", self._token_url, data=form)
        if reply.status != 200:
            raise self._refused(f"refuses client id and secret: {_message(reply)}")
        body = reply.json()
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise SourceError("BadReply", "Twitch's response for a token holds no access_token")
        self._hide(token)
        return token

    def _refused(self, detail: str) -> SourceError:
        message = f"{self._field}: {self._name!r} of kind twitch: Twitch {detail}"
        return SourceError("InvalidCredentials", message)


def _utc(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _message(reply: HttpReply) -> str:
    body = reply.json()
    message = line(body.get("message"), 100) if isinstance(body, dict) else None
    return message or f"status {reply.status}"


def _data(body: dict[str, Any]) -> list[dict[str, Any]]:
    data = body.get("data")
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def _clips(items: list[dict[str, Any]]) -> list[HelixClip]:
    clips = []
    for item in items:
        try:
            clips.append(HelixClip.model_validate(item))
        except ValidationError:
            continue  # One clip of another form does not hide the others.
    return clips
