"""Requests to one API: timeouts, retries with jitter, and errors of one tree."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from clipmill_client import light_httpx  # noqa: F401  before the first import of httpx

# isort: split
import httpx
from httpx_sse import EventSource, ServerSentEvent, SSEError
from pydantic import BaseModel, TypeAdapter, ValidationError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from clipmill_client.certificate_trust import (
    CA_HINT,
    ApiTrust,
    DefaultTrust,
    untrusted_reason,
)
from clipmill_client.errors import (
    ClientError,
    LinkFailed,
    PermanentError,
    RetryableError,
    error_of_response,
)

TIMEOUT = httpx.Timeout(30, connect=10)
# The API reads an uploaded file to its end before it answers, or decodes it to validate it.
BYTES_TIMEOUT = httpx.Timeout(300, connect=10)
# An object store that a network policy hides does not answer at all.
LINK_TIMEOUT = httpx.Timeout(300, connect=5)
LINK_ATTEMPTS = 2
LINK_CHUNK_BYTES = 1024 * 1024
ATTEMPTS = 5
# A longer Retry-After is cut to this.
MAX_RETRY_AFTER_S = 30
# Code of the error of a certificate that is not trusted.
UNTRUSTED = "UntrustedCertificate"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
T = TypeVar("T")
# Receives why a request failed, and for how many seconds it has been repeated.
OnOutage = Callable[[ClientError, float], None]
_JITTER = wait_random_exponential(multiplier=0.5, max=10)
# Errors of the request itself, which fails again in the same way.
_REQUEST_ERRORS = (
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.TooManyRedirects,
)


def ignore_outage(error: ClientError, seconds: float) -> None:
    """Do nothing while a request is repeated."""


class ApiConnection:
    """HTTP connections to one API with one key."""

    def __init__(  # noqa: PLR0913  # all but two have defaults and are passed by name
        self,
        base_url: str,
        key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        attempts: int = ATTEMPTS,
        timeout: httpx.Timeout = TIMEOUT,
        pause: Callable[[float], None] = time.sleep,
        trust: ApiTrust | None = None,
    ) -> None:
        self.base_url = base_url
        self._trust = trust
        # Called before each further attempt with the seconds since the first one.
        self.on_retry: OnOutage = ignore_outage
        headers = {"Authorization": f"Bearer {key}"}
        try:
            self._http = httpx.Client(
                base_url=base_url,
                headers=headers,
                timeout=timeout,
                transport=transport,
                verify=trust.context if trust else DefaultTrust(),
            )
        except httpx.InvalidURL as error:
            raise PermanentError("BadURL", f"{base_url!r} is not a URL: {error}") from None
        # Links of the object store get no key. Created when there is one: it loads certificates.
        self._links: httpx.Client | None = None
        self._transport = transport
        self._retrying = Retrying(
            retry=retry_if_exception(_is_worth_a_repetition),
            wait=_wait_s,
            stop=stop_after_attempt(attempts),
            sleep=pause,
            before_sleep=lambda state: self.on_retry(
                error_of(state), state.seconds_since_start or 0
            ),
            reraise=True,
        )

    @property
    def url(self) -> str:
        """The address of the API, without a slash at its end."""
        return str(self._http.base_url).rstrip("/")

    def authorities_for(self, url: str) -> str:
        """Return the CAs of the API in PEM if a URL is one of the API, and else nothing."""
        if self._trust is None:
            return ""
        own, other = self._http.base_url, httpx.URL(url)
        is_own = (own.scheme, own.host, own.port) == (other.scheme, other.host, other.port)
        return self._trust.authorities if is_own else ""

    def use_key(self, key: str) -> None:
        """Send another key from now on."""
        self._http.headers["Authorization"] = f"Bearer {key}"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        if self._links is not None:
            self._links.close()

    def retry(self, call: Callable[[], T]) -> T:
        """Call a function, and again while it raises RetryableError and attempts are left."""
        return self._retrying(call)

    def request_once(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request without a retry.

        Args:
            method: HTTP method.
            path: Path below the API's URL.
            options: Further arguments of `httpx.Client.request`.

        Raises:
            ClientError: No response, or one with a status of 400 or above.
        """
        try:
            response = self._http.request(method, path, **options)
        except httpx.RequestError as error:
            raise self._failure(error) from error
        return _checked(response)

    def request(
        self, method: str, path: str, body: BaseModel | None = None, **options: Any
    ) -> httpx.Response:
        """Send a request that may be repeated. Raises ClientError."""
        if body is not None:
            options["content"] = body.model_dump_json(by_alias=True, exclude_unset=True)
            options["headers"] = {"Content-Type": "application/json", **options.get("headers", {})}
        return self.retry(lambda: self.request_once(method, path, **options))

    def request_as(self, kind: type[T], method: str, path: str, **options: Any) -> T:
        """Send a request that may be repeated; return its response as a model or a list of them.

        Raises:
            ClientError: The request failed, or the response is not of this kind (`BadReply`).
        """
        response = self.request(method, path, **options)
        try:
            return TypeAdapter(kind).validate_json(response.content)
        except ValidationError as error:
            raise _bad_reply(response, error) from None

    @contextmanager
    def stream(self, path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """Open a response whose body is read in chunks. Raises ClientError.

        A redirect is followed, without the key if it leads to another server.
        """
        options: dict[str, Any] = {"timeout": BYTES_TIMEOUT, "follow_redirects": True}
        try:
            with self._http.stream("GET", path, headers=headers, **options) as response:
                if response.status_code >= 400:
                    response.read()
                yield _checked(response)
        except httpx.RequestError as error:
            raise self._failure(error) from error

    def send_to_link(self, url: str, path: Path, offset: int, size_bytes: int) -> None:
        """Send a part of a file to a signed link of the object store. Raises LinkFailed."""
        if self._links is None:
            self._links = httpx.Client(timeout=LINK_TIMEOUT, transport=self._transport)
        headers = {"Content-Length": str(size_bytes)}
        cause = ""
        for _ in range(LINK_ATTEMPTS):
            content = _part(path, offset, size_bytes)
            try:
                response = self._links.put(url, content=content, headers=headers)
            except httpx.HTTPError as error:
                cause = str(error) or type(error).__name__
                continue
            if response.is_success:
                return
            cause = f"status {response.status_code}"
        raise LinkFailed("LinkFailed", f"the object store at {httpx.URL(url).host}: {cause}")

    def events(
        self, path: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> Iterator[ServerSentEvent]:
        """Yield server-sent events until the API ends the stream. Raises ClientError."""
        with self.stream(path, {"Accept": "text/event-stream", **headers}) as response:
            try:
                yield from EventSource(response).iter_sse()
            except SSEError as error:
                raise PermanentError("BadReply", f"{path}: {error}") from None

    def _failure(self, error: httpx.RequestError) -> ClientError:
        reason = untrusted_reason(error)
        if not reason:
            return _unreachable(error)
        detail = f"the certificate of {_origin(error)} is not trusted: {reason}; {CA_HINT}"
        # With new CAs in their file, the next attempt may succeed.
        code = "Unreachable" if self._trust and self._trust.refresh() else UNTRUSTED
        return RetryableError(code, detail)


def _is_worth_a_repetition(error: BaseException) -> bool:
    """Return whether the next attempt may succeed within seconds.

    A certificate that is not trusted is replaced by a person or a program, in minutes.
    """
    return isinstance(error, RetryableError) and error.code != UNTRUSTED


def _part(path: Path, offset: int, size_bytes: int) -> Iterator[bytes]:
    """Yield a part of a file in chunks."""
    with path.open("rb") as file:
        file.seek(offset)
        while size_bytes > 0 and (chunk := file.read(min(LINK_CHUNK_BYTES, size_bytes))):
            size_bytes -= len(chunk)
            yield chunk


def error_of(state: RetryCallState) -> ClientError:
    """Return the error of the last attempt."""
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, ClientError) else RetryableError("Unreachable", str(error))


def _wait_s(state: RetryCallState) -> float:
    """Return a random wait, which is at least the API's Retry-After."""
    retry_after_s = float(error_of(state).facts.get("retry_after_s", 0))
    return max(_JITTER(state), min(retry_after_s, MAX_RETRY_AFTER_S))


def _unreachable(error: httpx.RequestError) -> ClientError:
    origin = _origin(error)
    cause = str(error) or type(error).__name__
    if isinstance(error, _REQUEST_ERRORS):
        return PermanentError(
            "BadRequest", f"the API at {origin} cannot take this request: {cause}"
        )
    return RetryableError("Unreachable", f"the API at {origin} did not answer: {cause}")


def _origin(error: httpx.RequestError) -> str:
    url = error.request.url
    return f"{url.scheme}://{url.netloc.decode()}"


def _bad_reply(response: httpx.Response, error: ValidationError) -> PermanentError:
    request = f"{response.request.method} {response.request.url.path}"
    first = error.errors()[0]["msg"]
    detail = (
        f"{request}: the response ({response.status_code}) is not of the expected form: {first}"
    )
    return PermanentError("BadReply", detail, status=response.status_code)


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code < 400:
        return response
    try:
        body = response.json()
    except ValueError:
        body = {}
    problem = body if isinstance(body, dict) else {}
    error = error_of_response(response.status_code, problem, response.text)
    after = response.headers.get("retry-after", "")
    error.facts["retry_after_s"] = int(after) if after.isdecimal() else 0
    raise error
