"""One HTTP call: time-outs, retries with jitter of what may be repeated, errors of one tree."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ValidationError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from clipmill_client.errors import ClientError, PermanentError, RetryableError, from_response

TIMEOUT = httpx.Timeout(30, connect=10)
BYTES_TIMEOUT = httpx.Timeout(300, connect=10)
"""The API checks an upload by decoding it before it answers: seconds, not milliseconds."""
ATTEMPTS = 5
LONGEST_WAIT_S = 30
"""Longer than this no Retry-After is obeyed."""
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class Wire:
    """A connection to one API with one key. Every call of the product goes through here."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        attempts: int = ATTEMPTS,
        timeout: httpx.Timeout = TIMEOUT,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        try:
            self._http = httpx.Client(
                base_url=base_url, headers=headers, timeout=timeout, transport=transport
            )
        except httpx.InvalidURL as error:
            raise PermanentError("BadURL", f"{base_url!r} is no URL: {error}") from None
        self._retrying = Retrying(
            retry=retry_if_exception_type(RetryableError),
            wait=_wait_s,
            stop=stop_after_attempt(attempts),
            sleep=pause,
            reraise=True,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def repeat(self, call: Callable[[], T]) -> T:
        """Make a call that may be repeated, again while it fails with a RetryableError."""
        return self._retrying(call)

    def once(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request, one reply. Raises ClientError."""
        try:
            reply = self._http.request(method, path, **options)
        except httpx.RequestError as error:
            raise _unreachable(error) from error
        return _checked(reply)

    def ask(self, model: type[M], method: str, path: str, **options: Any) -> M:
        """A repeatable request whose answer is a model. Raises ClientError."""
        reply = self.send(method, path, **options)
        try:
            return model.model_validate_json(reply.content)
        except ValidationError as error:
            said = f"{method} {path} answered {reply.status_code} with something else than expected"
            first = error.errors()[0]["msg"]
            raise PermanentError("BadReply", f"{said}: {first}", status=reply.status_code) from None

    def send(
        self, method: str, path: str, body: BaseModel | None = None, **options: Any
    ) -> httpx.Response:
        """A repeatable request with a model as its body. Raises ClientError."""
        if body is not None:
            options["content"] = body.model_dump_json(by_alias=True, exclude_unset=True)
            options["headers"] = {"Content-Type": "application/json", **options.get("headers", {})}
        return self.repeat(lambda: self.once(method, path, **options))

    @contextmanager
    def stream(self, path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """A reply read segment by segment. Raises ClientError."""
        try:
            with self._http.stream("GET", path, headers=headers, timeout=BYTES_TIMEOUT) as reply:
                if reply.status_code >= 400:
                    reply.read()
                yield _checked(reply)
        except httpx.RequestError as error:
            raise _unreachable(error) from error


_JITTER = wait_random_exponential(multiplier=0.5, max=10)
_OURS = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects)
"""What is wrong with the request itself: sending it again is no use."""


def _wait_s(state: RetryCallState) -> float:
    """With jitter, and not before the time that the API named."""
    error = state.outcome.exception() if state.outcome else None
    named = error.facts.get("retry_after_s", 0) if isinstance(error, ClientError) else 0
    return max(_JITTER(state), min(named, LONGEST_WAIT_S))


def _unreachable(error: httpx.RequestError) -> ClientError:
    asked = error.request.url
    where = f"{asked.scheme}://{asked.netloc.decode()}"
    said = str(error) or type(error).__name__
    if isinstance(error, _OURS):
        return PermanentError("BadRequest", f"the API at {where} cannot be asked so: {said}")
    return RetryableError("Unreachable", f"the API at {where} did not answer: {said}")


def _checked(reply: httpx.Response) -> httpx.Response:
    if reply.status_code < 400:
        return reply
    try:
        body = reply.json()
    except ValueError:
        body = {}
    error = from_response(reply.status_code, body if isinstance(body, dict) else {}, reply.text)
    after = reply.headers.get("retry-after", "")
    error.facts["retry_after_s"] = int(after) if after.isdecimal() else 0
    raise error
