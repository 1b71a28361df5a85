"""HTTP requests to sources: checked addresses, bounded bodies, bounded time, no proxies.

The egress guard of the process checks the address of each connection as it is opened, so that a
name is not resolved a second time after a check.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx

from clipmill.spec.source_urls import ForbiddenURL, check_url
from clipmill_job.discovering.source_errors import SourceError

USER_AGENT = "clipmill"
MAX_BODY_BYTES = 8 * 1024 * 1024
REQUEST_S = 60.0
TIMEOUT = httpx.Timeout(20, connect=10)
# Accepts the headers of gzip and of zlib.
_ANY_ZLIB = 47


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """A response with its whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def json(self) -> Any:
        """Return the body as JSON, or None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class BoundedHttp:
    """Sends requests; `requests` counts them.

    Args:
        private: Pairs of host:port that may be private addresses, on any port.
        transport: Another transport of httpx, for tests.
    """

    def __init__(
        self,
        private: Collection[str],
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._private = private
        self._clock = clock
        self.requests = 0
        self._client = httpx.Client(
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"},
            timeout=TIMEOUT,
            transport=transport,
            trust_env=False,
        )

    def send(
        self,
        method: str,
        url: str,
        *,
        redirects: int = 0,
        limit_bytes: int = MAX_BODY_BYTES,
        **options: Any,
    ) -> HttpReply:
        """Send a request and return its response, of any status.

        Args:
            method: HTTP method.
            url: Address without credentials.
            redirects: How many redirects are followed. A request with credentials follows none.
            limit_bytes: The largest size of the decoded body.
            options: Further arguments of `httpx.Client.stream`.

        Raises:
            SourceError: The address is forbidden, or there was no complete response.
        """
        for _ in range(redirects + 1):
            reply = self._send_once(method, url, limit_bytes, options)
            location = reply.headers.get("location")
            if reply.status not in (301, 302, 303, 307, 308) or not location:
                return reply
            url = urljoin(url, location)
        if redirects:
            raise SourceError("SourceFailed", f"more than {redirects} redirects are not followed")
        return reply

    def _send_once(
        self, method: str, url: str, limit_bytes: int, options: dict[str, Any]
    ) -> HttpReply:
        try:
            check_url(url, hosts=(), any_host=True, private=self._private)
        except ForbiddenURL as error:
            raise SourceError("ForbiddenURL", str(error)) from None
        self.requests += 1
        try:
            with self._client.stream(method, url, **options) as response:
                body = self._body(response, limit_bytes)
                return HttpReply(
                    status=response.status_code, headers=response.headers, body=body, url=url
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The text of such an error can hold a header, and so a credential.
            host = httpx.URL(url).host
            raise SourceError(
                "SourceFailed", f"{host} did not answer: {type(error).__name__}", retryable=True
            ) from None

    def _body(self, response: httpx.Response, limit_bytes: int) -> bytes:
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limit_bytes:
            raise _too_large(f"{announced} bytes", limit_bytes)
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        chunks = self._within_time(response.iter_raw())
        return decode_body(chunks, encoding, limit_bytes)

    def _within_time(self, chunks: Iterable[bytes]) -> Iterable[bytes]:
        until = self._clock() + REQUEST_S
        for chunk in chunks:
            if self._clock() > until:
                raise SourceError("TooSlow", f"no complete response within {REQUEST_S:.0f} s")
            yield chunk


def decode_body(chunks: Iterable[bytes], encoding: str, limit_bytes: int) -> bytes:
    """Return a body of at most `limit_bytes` after decoding; at most one byte more is decoded.

    Raises:
        SourceError: It is larger, damaged, or of another encoding than gzip and deflate.
    """
    if encoding not in ("identity", "gzip", "x-gzip", "deflate"):
        raise SourceError("BadReply", f"the Content-Encoding {encoding[:40]!r} is not supported")
    decoder = None if encoding == "identity" else zlib.decompressobj(_ANY_ZLIB)
    body = bytearray()
    for chunk in chunks:
        try:
            body += decoder.decompress(chunk, limit_bytes + 1 - len(body)) if decoder else chunk
        except zlib.error:
            raise SourceError("BadReply", f"the body is no {encoding}") from None
        if len(body) > limit_bytes:
            raise _too_large(f"more than {limit_bytes} bytes", limit_bytes)
    return bytes(body)


def _too_large(size: str, limit_bytes: int) -> SourceError:
    return SourceError("TooLarge", f"the response has {size}; the limit is {limit_bytes} bytes")
