"""Send one signed request to a receiver: at a checked address, within a time, and no further.

The name is resolved here and the connection goes to the address that was checked, so that a name
which resolves differently a moment later reaches nothing else. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
from standardwebhooks import Webhook

from clipmill.network_ranges import is_public
from clipmill.spec.target_addresses import ForbiddenTarget
from clipmill_api.notifications.webhook_targets import check_webhook_url

TIMEOUT_S = 15.0
USER_AGENT = "Clipmill-Webhooks/1"


class Attempt(NamedTuple):
    """Result of one attempt: an HTTP status, or the error without a response."""

    status: int | None
    error: str | None

    @property
    def is_success(self) -> bool:
        """Whether the receiver has accepted the notification."""
        return self.error is None


def new_http_client() -> httpx.AsyncClient:
    """Return a client that keeps no connection: one of another name may have the same address."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(
        limits=limits, timeout=TIMEOUT_S, trust_env=False, follow_redirects=False
    )


async def send(
    http: httpx.AsyncClient,
    url: str,
    secret: str,
    *,
    message: tuple[str, str],
    at: datetime,
    private: Collection[str],
) -> Attempt:
    """Send a notification and return the result. It raises nothing but a cancellation.

    Args:
        http: The client.
        url: URL of the receiver.
        secret: `whsec_...`, for the signature.
        message: Id and body.
        at: The current time, which is signed.
        private: Pairs of `host:port` that may be private.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _post(http, url, _signed(secret, message, at), message[1], private)
    except TimeoutError:
        return Attempt(None, f"no response within {TIMEOUT_S:.0f} s")
    except ForbiddenTarget as error:
        return Attempt(None, str(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Attempt(None, _cause(error))


def _signed(secret: str, message: tuple[str, str], at: datetime) -> dict[str, str]:
    message_id, body = message
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body),
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
    }


async def _post(
    http: httpx.AsyncClient,
    url: str,
    headers: dict[str, str],
    body: str,
    private: Collection[str],
) -> Attempt:
    check_webhook_url(url, private=private)
    split = urlsplit(url)
    host, port = split.hostname or "", split.port or (443 if split.scheme == "https" else 80)
    address = await checked_address(host, port, private)
    pinned = httpx.URL(url).copy_with(host=address)
    headers = {**headers, "Host": split.netloc}
    extensions = {"sni_hostname": host}
    async with http.stream(
        "POST", pinned, content=body.encode(), headers=headers, extensions=extensions
    ) as response:
        # The body is not read: nothing in it is of interest, and it may never end.
        if 200 <= response.status_code < 300:
            return Attempt(response.status_code, None)
        if 300 <= response.status_code < 400:
            return Attempt(response.status_code, "redirects are not followed")
        return Attempt(response.status_code, f"the receiver responded {response.status_code}")


async def checked_address(host: str, port: int, private: Collection[str]) -> str:
    """Return an address of a host, if all may be connected to. Raises ForbiddenTarget."""
    loop = asyncio.get_running_loop()
    try:
        entries = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        raise ForbiddenTarget(f"the name {host!r} does not resolve") from None
    addresses = [str(entry[4][0]) for entry in entries]
    if f"{host}:{port}" not in private and not all(map(is_public, addresses)):
        raise ForbiddenTarget(f"{host!r} resolves to a private address")
    return addresses[0]


def _cause(error: Exception) -> str:
    """Return the sort of an error; its text could hold the URL."""
    if isinstance(error, httpx.ConnectError):
        return "no connection: refused, unreachable, or the certificate is not valid"
    return f"the request failed: {type(error).__name__}"
