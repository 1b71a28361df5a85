"""One HTTP call: time-outs, retries with jitter of what may be repeated, errors of one tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from clipmill_client.errors import RetryableError, from_response

TIMEOUT = httpx.Timeout(30, connect=10)
BYTES_TIMEOUT = httpx.Timeout(300, connect=10)
"""The API checks an upload by decoding it before it answers: seconds, not milliseconds."""
ATTEMPTS = 5
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
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(
            base_url=base_url, headers=headers, timeout=TIMEOUT, transport=transport
        )
        self._retrying = Retrying(
            retry=retry_if_exception_type(RetryableError),
            wait=wait_random_exponential(multiplier=0.5, max=10),
            stop=stop_after_attempt(attempts),
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
        except httpx.TransportError as error:
            raise _unreachable(error) from error
        return _checked(reply)

    def ask(self, model: type[M], method: str, path: str, **options: Any) -> M:
        """A repeatable request whose answer is a model. Raises ClientError."""
        reply = self.send(method, path, **options)
        return model.model_validate_json(reply.content)

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
        """A reply read piece by piece. Raises ClientError."""
        try:
            with self._http.stream("GET", path, headers=headers, timeout=BYTES_TIMEOUT) as reply:
                if reply.status_code >= 400:
                    reply.read()
                yield _checked(reply)
        except httpx.TransportError as error:
            raise _unreachable(error) from error


def _unreachable(error: httpx.TransportError) -> RetryableError:
    asked = error.request.url
    where = f"{asked.scheme}://{asked.netloc.decode()}"
    said = str(error) or type(error).__name__
    return RetryableError("Unreachable", f"the API at {where} did not answer: {said}")


def _checked(reply: httpx.Response) -> httpx.Response:
    if reply.status_code < 400:
        return reply
    try:
        body = reply.json()
    except ValueError:
        body = {}
    raise from_response(reply.status_code, body if isinstance(body, dict) else {}, reply.text)
