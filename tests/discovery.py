"""Run readers of sources on a clock of tests, and discover tasks in their processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from clipmill.protocol import Directive, Heartbeat, HeartbeatReply
from clipmill.shows.candidates import (
    ClipCandidate,
    DiscordCredentials,
    DiscoverAssignment,
    SourceQuery,
    TwitchCredentials,
)
from clipmill.shows.show_sources import ShowSource
from clipmill_job.discovering.bounded_http import BoundedHttp
from clipmill_job.discovering.discover_task import run_discover_task
from clipmill_job.discovering.source_errors import SourceError
from clipmill_job.discovering.source_reader import (
    ReaderTools,
    SourceNote,
    SourceReader,
    SourceTask,
)
from clipmill_job.fetching.egress_guard import EgressGuard
from clipmill_job.heartbeat_sender import HeartbeatSender
from fake_sources.replies import Asked
from fake_sources.serving import Responder

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 11, 8, tzinfo=UTC)
TWITCH = TwitchCredentials(client_id="clientoftests", client_secret="secret-of-tests")
DISCORD = DiscordCredentials(bot_token="bot-token-of-tests")


class StoppedClock:
    """A clock that moves by pauses only."""

    def __init__(self, start: datetime = END) -> None:
        self.time = start.timestamp()
        self.pauses: list[float] = []

    def now(self) -> float:
        """Return the Unix time."""
        return self.time

    def pause(self, seconds: float) -> None:
        """Move on."""
        self.pauses.append(seconds)
        self.time += seconds


def query(source: dict[str, Any], index: int = 0) -> SourceQuery:
    """Return the query of a source as in a show's spec, with the credentials of the tests."""
    shown = ShowSource.model_validate(source)
    return SourceQuery(
        source=index,
        query=shown,
        twitch=TWITCH if shown.twitch else None,
        discord=DISCORD if shown.discord else None,
    )


def transport(responders: Sequence[Responder]) -> httpx.MockTransport:
    """Return a transport that calls stand-ins in this process."""

    def respond(request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode()) if request.method == "POST" else {}
        asked = Asked(
            method=request.method,
            path=request.url.path,
            query=parse_qs(request.url.query.decode()) | form,
            headers={name.lower(): value for name, value in request.headers.items()},
        )
        reply = next(r for responder in responders if (r := responder(asked)))
        return httpx.Response(
            reply.status, stream=httpx.ByteStream(reply.body), headers=dict(reply.headers)
        )

    return httpx.MockTransport(respond)


def task(source_query: SourceQuery, *, limit_s: float = 300, **fields: Any) -> SourceTask:
    """Return the task of a reader: the stand-ins replace the services."""
    base = "http://127.0.0.1:9"
    defaults: dict[str, Any] = {
        "started_after": START,
        "ended_before": END,
        "allowed_private": ["127.0.0.1:9"],
        "base_urls": {
            "twitch": f"{base}/helix",
            "twitch-auth": f"{base}/oauth2",
            "discord": f"{base}/api/v10",
        },
        "javascript": "",
        "folder": "",
    }
    return SourceTask(query=source_query, limit_s=limit_s, **(defaults | fields))


class ReadSource:
    """What a reader yields in this process, and how it ends."""

    def __init__(
        self,
        reader: SourceReader,
        source_task: SourceTask,
        *responders: Responder,
        clock: StoppedClock | None = None,
    ) -> None:
        clock = clock or StoppedClock()
        self.http = BoundedHttp(source_task.allowed_private, transport=transport(responders))
        self.candidates: list[ClipCandidate] = []
        self.notes: list[SourceNote] = []
        self.error: SourceError | None = None
        self.secrets: list[str] = []
        tools = ReaderTools(
            http=self.http,
            guard=EgressGuard([]),
            folder=Path("/nonexistent"),
            until=clock.time + source_task.limit_s,
            hide=self.secrets.append,
            clock=clock.now,
            now=clock.now,
            pause=clock.pause,
        )
        try:
            for item in reader(source_task, tools):
                if isinstance(item, ClipCandidate):
                    self.candidates.append(item)
                else:
                    self.notes.append(item)
        except SourceError as error:
            self.error = error


def assignment(
    queries: Sequence[SourceQuery], base: str, *, private: Sequence[str] = (), **fields: Any
) -> DiscoverAssignment:
    """Return an assignment with the stand-ins at a base URL."""
    defaults: dict[str, Any] = {
        "started_after": START,
        "ended_before": END,
        "limit_s": 60,
        "allowed_private": [base.removeprefix("http://"), *private],
        "base_urls": {
            "twitch": f"{base}/helix",
            "twitch-auth": f"{base}/oauth2",
            "discord": f"{base}/api/v10",
        },
    }
    return DiscoverAssignment(
        episode_id="e-0123456789", epoch=1, lease_s=60, queries=list(queries), **(defaults | fields)
    )


def discover(
    discover_assignment: DiscoverAssignment,
    scratch: Path,
    *,
    on_heartbeat: Callable[[Heartbeat], None] = lambda _: None,
) -> Any:
    """Run a discover task with its processes and return its result."""

    def send(heartbeat: Heartbeat) -> HeartbeatReply:
        on_heartbeat(heartbeat)
        return HeartbeatReply(directive=Directive.CONTINUE, lease_s=60)

    with HeartbeatSender(send, epoch=1, lease_s=60) as heartbeat:
        result = run_discover_task(discover_assignment, heartbeat, scratch)
        heartbeat.flush()
    return result
