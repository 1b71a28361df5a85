"""Requests to an API with rate limits: wait as it demands, and repeat what failed in passing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clipmill_job.discovering.bounded_http import HttpReply
from clipmill_job.discovering.source_errors import SourceError
from clipmill_job.discovering.source_reader import ReaderTools

ATTEMPTS = 5
BACKOFF_S = 1.0
# No limit of a source opens again that late within a task.
LONGEST_WAIT_S = 3600.0
# Seconds to wait before the next request, from a response and the current Unix time.
WaitOf = Callable[[HttpReply, float], float]


class PacedRequests:
    """Sends requests to one API, whose limits apply to all of them."""

    def __init__(self, service: str, tools: ReaderTools, wait_of: WaitOf) -> None:
        self._service = service
        self._tools = tools
        self._wait_of = wait_of
        self._resume_at = 0.0

    def get(
        self, url: str, *, headers: Mapping[str, str], params: list[tuple[str, str]]
    ) -> HttpReply:
        """Return a response that is neither 429 nor a failure of the server.

        Raises:
            SourceError: The limit opens too late, or the server fails repeatedly.
        """
        return self.send("GET", url, headers=headers, params=params)

    def send(self, method: str, url: str, **options: Any) -> HttpReply:
        """Send a request as `get` does, with arguments of httpx."""
        for attempt in range(ATTEMPTS):
            self._wait()
            reply = self._attempt(method, url, options, is_last=attempt == ATTEMPTS - 1)
            if reply is not None and reply.status != 429 and reply.status < 500:
                return reply
            if reply is None or reply.status >= 500:
                self._delay(BACKOFF_S * 2**attempt)
        if reply is not None and reply.status == 429:
            raise self._limited("it refused each of the attempts with 429")
        status = reply.status if reply is not None else "no status"
        raise SourceError("SourceFailed", f"{self._service} responded {status} repeatedly")

    def _attempt(
        self, method: str, url: str, options: dict[str, Any], *, is_last: bool
    ) -> HttpReply | None:
        try:
            reply = self._tools.http.send(method, url, **options)
        except SourceError as error:
            if is_last or not error.retryable:
                raise
            return None
        self._delay(min(LONGEST_WAIT_S, self._wait_of(reply, self._tools.now())))
        return reply

    def _delay(self, wait_s: float) -> None:
        if wait_s > 0:
            self._resume_at = max(self._resume_at, self._tools.clock() + wait_s)

    def _wait(self) -> None:
        wait_s = self._resume_at - self._tools.clock()
        if wait_s <= 0:
            return
        if self._resume_at >= self._tools.until:
            raise self._limited(f"its limit opens in {wait_s:.0f} s, after the end of this task")
        self._tools.pause(wait_s)

    def _limited(self, detail: str) -> SourceError:
        return SourceError("RateLimited", f"{self._service} limits the rate of requests: {detail}")


def header_number(headers: Mapping[str, str], name: str) -> float | None:
    """Return a header's number, or None if there is no finite one of 0 or more."""
    try:
        number = float(headers.get(name, ""))
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
