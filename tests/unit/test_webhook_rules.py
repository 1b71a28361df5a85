"""Targets and retries of webhooks, without an API."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clipmill.protocol import CompilationState
from clipmill.protocol.integrations.webhook_models import EventType
from clipmill.spec.target_addresses import ForbiddenTarget
from clipmill_api.compilations.end_notification import event_of_end
from clipmill_api.notifications.apprise_process import ConnectionGuard, send_by_apprise
from clipmill_api.notifications.retry_policy import LIFETIME, disabled_reason, next_attempt
from clipmill_api.notifications.webhook_targets import check_webhook_url
from clipmill_api.notifications.webhook_transport import new_http_client, send

NOW = datetime(2026, 11, 27, 18, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "https://127.0.0.1/hook",
        "https://10.1.2.3/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://169.254.169.254/latest",
        "https://0x7f.1/hook",
        "https://2130706433/hook",
        "https://localhost/hook",
        "https://receiver.svc/hook",
        "https://receiver/hook",
        "https://db.internal:5432/hook",
        "https://example.org:25/hook",
        "https://user:password@example.org/hook",
        "https://exa mple.org/hook",
        "https:///hook",
        "https://[x/hook",
        "ftp://example.org/hook",
        "file:///etc/passwd",
        "json://10.0.0.1/hook",
        "jsons://example.org/hook",
        "xml://example.org",
        "form://example.org",
        "gotify://10.0.0.1/token",
        "ntfy://10.0.0.1/topic",
        "matrix://user:password@10.0.0.1",
        "syslog://10.0.0.1",
        "dbus://",
        "windows://",
        "macosx://",
        "",
    ],
)
def test_other_targets_are_refused(url: str) -> None:
    """Private hosts, http, schemes of Apprise with a host of one's own, and other schemes."""
    with pytest.raises(ForbiddenTarget):
        check_webhook_url(url)


@pytest.mark.parametrize(
    ("url", "shown", "is_apprise"),
    [
        ("https://example.org/hook?key=1", "https://example.org", False),
        ("https://example.org:8443/hook", "https://example.org:8443", False),
        ("https://8.8.8.8/hook", "https://8.8.8.8", False),
        ("http://127.0.0.1:9000/hook", "http://127.0.0.1:9000", False),
        ("discord://123/token", "discord://", True),
        ("slack://a/b/c", "slack://", True),
        ("tgram://123:token/1", "tgram://", True),
        ("mailtos://user:password@example.org", "mailtos://", True),
    ],
)
def test_targets_are_shown_without_their_secrets(url: str, shown: str, is_apprise: bool) -> None:
    """Scheme and host of a URL, the scheme of an Apprise address."""
    target = check_webhook_url(url, private=("127.0.0.1:9000",))
    assert (target.shown, target.is_apprise) == (shown, is_apprise)
    assert check_webhook_url(url.upper() if is_apprise else url, private=("127.0.0.1:9000",))


def test_a_notification_is_sent_again_for_a_day() -> None:
    """About a dozen attempts with growing delays; then it is given up."""
    at, times = NOW, [NOW]
    while (again := next_attempt(at, NOW + LIFETIME, attempts=len(times), random=0.5)) is not None:
        at = again
        times.append(again)
    delays = [(b - a).total_seconds() for a, b in itertools.pairwise(times)]
    assert delays == sorted(delays)
    assert (delays[0], max(delays)) == (5, 4 * 3600)
    assert 10 <= len(times) <= 15
    assert times[-1] - NOW > timedelta(hours=19)


def test_delays_vary() -> None:
    """By a half, so that notifications do not come back at the same moment."""
    early = next_attempt(NOW, NOW + LIFETIME, attempts=3, random=0)
    late = next_attempt(NOW, NOW + LIFETIME, attempts=3, random=1)
    assert early
    assert late
    assert (late - NOW) == 3 * (early - NOW)


@pytest.mark.parametrize(
    ("gone", "failing", "disabled"),
    [
        (0, timedelta(0), False),
        (2, timedelta(days=2), False),
        (3, timedelta(0), True),
        (0, timedelta(days=3), True),
    ],
)
def test_a_webhook_is_disabled_by_410_or_days_of_failure(
    gone: int, failing: timedelta, disabled: bool
) -> None:
    """With a reason that its owner sees."""
    assert bool(disabled_reason(gone, NOW - failing, NOW)) is disabled


@pytest.mark.parametrize(
    ("state", "draft", "degraded", "event"),
    [
        ("Succeeded", False, False, EventType.SUCCEEDED),
        ("Succeeded", False, True, EventType.DEGRADED),
        ("Succeeded", True, True, EventType.DRAFT_READY),
        ("Failed", True, True, EventType.FAILED),
    ],
)
def test_the_event_of_an_end(state: str, draft: bool, degraded: bool, event: EventType) -> None:
    """By state, quality and skipped clips."""
    ended = event_of_end(CompilationState(state), is_draft=draft, is_degraded=degraded)
    assert ended is event


def _send(url: str, *private: str) -> Any:
    async def run() -> Any:
        async with new_http_client() as http:
            message = ("n-1", "{}")
            return await send(http, url, SECRET, message=message, at=NOW, private=private)

    return asyncio.run(run())


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "::1", "169.254.169.254"])
def test_a_public_name_of_a_private_address_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if only one of several addresses is private; no connection is opened."""
    entries = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 443)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    attempt = _send("https://receiver.example.org/hook")
    assert (attempt.status, "private" in str(attempt.error)) == (None, True)


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that resolves differently a moment later is not resolved again."""
    calls: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> list[Any]:
        calls.append(host)
        address = "127.0.0.1" if host == "127.0.0.1" else "192.0.2.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 9))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    private = "receiver.example.org:9"
    monkeypatch.setattr("clipmill_api.notifications.webhook_transport.TIMEOUT_S", 0.5)
    attempt = _send("http://receiver.example.org:9/hook", private)
    assert attempt.error
    assert calls.count("receiver.example.org") == 1


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        (("10.0.0.1", 587), True),
        (("127.0.0.1", 25), True),
        (("8.8.8.8", 22), True),
        (("8.8.8.8", 443), False),
        (("127.0.0.1", 2626), False),
    ],
)
def test_connections_of_apprise_are_checked(address: tuple[str, int], refused: bool) -> None:
    """After name resolution, in its own process."""

    class Socket:
        family = socket.AF_INET

    guard = ConnectionGuard(["127.0.0.1:2626"])
    if not refused:
        guard("socket.connect", (Socket(), address))
        return
    with pytest.raises(OSError):
        guard("socket.connect", (Socket(), address))
    assert guard.refused


@pytest.mark.parametrize("host", ["127.0.0.1:2525", "localhost:2525"])
def test_mail_to_a_private_server_is_refused(host: str) -> None:
    """No connection is opened."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        url = f"mailto://u:p@{host}?to=a@example.org&from=b@example.org&mode=insecure"
        url = url.replace("2525", str(server.getsockname()[1]))
        body = json.dumps({"type": "webhook.test", "data": {"name": "x"}})
        attempt = asyncio.run(send_by_apprise(url, body, ()))
        assert "private" in str(attempt.error)
        with pytest.raises(TimeoutError):
            server.accept()
