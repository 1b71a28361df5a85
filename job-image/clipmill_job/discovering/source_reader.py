"""What a module that reads a source receives, yields and raises."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import AwareDatetime

from clipmill.shows.candidates import ClipCandidate, SourceQuery
from clipmill.spec.base import Model
from clipmill_job.discovering.bounded_http import BoundedHttp
from clipmill_job.fetching.egress_guard import EgressGuard

# Base addresses of the services, unless the assignment replaces them.
BASE_URLS = {
    "twitch": "https://api.twitch.tv/helix",
    "twitch-auth": "https://id.twitch.tv/oauth2",
    "discord": "https://discord.com/api/v10",
}


def source_field(query: SourceQuery) -> str:
    """Return the path of a source in the show's resource."""
    return f"spec.sources[{query.source}].{query.query.kind}"


class SourceTask(Model):
    """The request to the process that reads one source."""

    query: SourceQuery
    started_after: AwareDatetime
    ended_before: AwareDatetime
    limit_s: float
    allowed_private: list[str]
    base_urls: dict[str, str]
    javascript: str
    folder: str

    def field(self, name: str) -> str:
        """Return the path of a field of the source in the show's spec."""
        return f"{source_field(self.query)}.{name}"

    def base_url(self, service: str) -> str:
        """Return the base address of a service, without a slash at its end."""
        return self.base_urls.get(service, BASE_URLS[service]).rstrip("/")


@dataclass(frozen=True, slots=True)
class SourceNote:
    """What is wrong with a part of a source, while the rest of it is read."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderTools:
    """What a reader acts with."""

    http: BoundedHttp
    guard: EgressGuard
    folder: Path
    until: float
    # Hides a secret that was obtained from the source in all messages.
    hide: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep


class SourceReader(Protocol):
    """Reads a source of one kind."""

    def __call__(
        self, task: SourceTask, tools: ReaderTools
    ) -> Iterator[ClipCandidate | SourceNote]:
        """Yield candidates as they are read.

        Raises:
            SourceError: The source cannot be read, or not to its end.
        """
