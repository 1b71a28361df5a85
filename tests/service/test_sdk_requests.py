"""The SDK on a network that fails: which requests are retried, and which errors are raised."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from clipmill.protocol import MediaKind
from clipmill.spec import Manifest
from clipmill_client import PermanentError, RetryableError
from faulty_network import cutting, scripted
from harness import Harness
from sdk_clients import client, new_client, reply

ACCOUNT = {
    "owner": "ada",
    "tier": "Free",
    "storageUsedBytes": 0,
    "storageLimitBytes": None,
    "renderUsedSeconds": 0,
    "renderReservedSeconds": 0,
    "renderLimitSeconds": None,
    "month": "2026-11",
}


GOOD = reply("200 OK", ACCOUNT)
BUSY = reply("503 Service Unavailable", {"code": "Busy", "detail": "later"}, "Retry-After: 2")
CUT = GOOD[:-20]
REFUSED = reply("422 Unprocessable Content", {"code": "Invalid", "detail": "a: wrong", "a": 1})


RETRIED: list[tuple[str, bytes]] = [
    ("503", BUSY),
    ("502 of a proxy, as HTML", reply("502 Bad Gateway", b"<html>bad gateway</html>")),
    ("504", reply("504 Gateway Timeout", b"")),
    ("429", reply("429 Too Many Requests", {"code": "Slow", "detail": "slower"})),
    ("cut within the body", CUT),
    ("cut within the head", b"HTTP/1.1 200 OK\r\nContent-Le"),
    ("closed without a word", b""),
    ("no HTTP at all", b"SSH-2.0-OpenSSH_9.9\r\n"),
]


@pytest.mark.parametrize(("name", "bad"), RETRIED, ids=[row[0] for row in RETRIED])
def test_retried(name: str, bad: bytes) -> None:
    """After two failures the third response is returned."""
    waits: list[float] = []
    with scripted(bad, bad, GOOD) as server:
        assert client(server, waits).account().owner == "ada"
    assert len(server.received) == 3
    assert len(set(server.received)) == 1
    assert len(waits) == 2


def test_a_timeout_is_retried() -> None:
    """A response that does not come within the timeout is a failure."""
    with scripted(None, GOOD) as server:
        fast = httpx.Timeout(5, read=0.2)
        assert client(server, timeout=fast).account().owner == "ada"
    assert len(server.received) == 2


def test_the_last_error_is_raised() -> None:
    """After the last attempt, with its code, detail and status."""
    with scripted(*[BUSY] * 3) as server, pytest.raises(RetryableError) as error:
        client(server, attempts=3).account()
    assert (error.value.code, error.value.detail, error.value.status) == ("Busy", "later", 503)
    assert len(server.received) == 3


def test_waits_are_random_and_at_least_retry_after() -> None:
    """Clients that fail together do not retry together."""
    waits: list[float] = []
    with scripted(BUSY, BUSY, GOOD) as server:
        client(server, waits).account()
    assert all(wait >= 2 for wait in waits)
    random_waits: set[float] = set()
    for _ in range(3):
        waits = []
        with scripted(CUT, GOOD) as server:
            client(server, waits).account()
        random_waits |= set(waits)
    assert len(random_waits) > 1


NOT_RETRIED: list[tuple[str, bytes, str]] = [
    ("422", REFUSED, "Invalid"),
    ("401", reply("401 Unauthorized", {"code": "Unauthorized", "detail": "no"}), "Unauthorized"),
    ("500", reply("500 Internal Server Error", {"code": "Internal", "detail": "ours"}), "Internal"),
    ("a page instead of the API", reply("200 OK", b"<html>hello</html>"), "BadReply"),
    ("another API", reply("200 OK", {"hello": "world"}), "BadReply"),
    ("a redirect", reply("302 Found", b"", "Location: https://example.com/"), "BadReply"),
]


@pytest.mark.parametrize(("name", "bad", "code"), NOT_RETRIED, ids=[row[0] for row in NOT_RETRIED])
def test_not_retried(name: str, bad: bytes, code: str) -> None:
    """An error that a repetition would not change is raised at once, with its code and facts."""
    with scripted(bad) as server, pytest.raises(PermanentError) as error:
        client(server).account()
    assert error.value.code == code
    assert len(server.received) == 1
    assert "\n" not in str(error.value)
    if code == "Invalid":
        assert error.value.facts["a"] == 1


@pytest.mark.parametrize("url", ["ftp://example.com", "example.com", "http://[::1", ""])
def test_a_malformed_url(url: str) -> None:
    """A malformed URL of the API is a PermanentError."""
    with pytest.raises(PermanentError):
        new_client(url, "cm_u_x").account()


def test_connection_refused() -> None:
    """A refused connection is retryable and names the address."""
    with scripted() as server:
        gone = server.url
    with pytest.raises(RetryableError) as error:
        new_client(gone, "cm_u_x", attempts=2).account()
    assert (error.value.code, gone in error.value.detail) == ("Unreachable", True)


def test_the_creation_of_a_key_is_not_retried() -> None:
    """A repetition would create a second key."""
    with scripted(CUT, GOOD) as server, pytest.raises(RetryableError):
        client(server).admin.create_key("ada")
    assert len(server.received) == 1


def test_create_is_retried_with_one_idempotency_key(api: Harness, two_seconds: Path) -> None:
    """A lost response does not create a second compilation."""
    owner, user = api.user()
    media = user.upload_media(two_seconds, MediaKind.CLIP)
    manifest = Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "lost-reply"},
            "spec": {"clips": [{"mediaId": media.id}]},
        }
    )
    key = api.admin.create_key(owner)
    with cutting(api.url, up=[], down=[60]) as proxy:
        new_client(proxy.url, key).create(manifest)
    assert len(user.compilations().items) == 1


EVENT = (
    b'event: compilation\r\ndata: {"id": "c-0123", "name": "friday", "namespace": "default",\r\n'
    b'data: "owner": "ada", "generation": 1, "state": "Succeeded", "clips": [], "createdAt": ""}'
)


def test_events_are_decoded_as_the_standard_says() -> None:
    """Comments, CRLF line ends, and data over several lines."""
    body = b": ping\n\n" + EVENT + b"\r\n\r\n"
    with scripted(reply("200 OK", body, "Content-Type: text/event-stream")) as server:
        views = list(client(server).events("c-0123"))
    assert [view.id for view in views] == ["c-0123"]


def test_a_page_instead_of_events() -> None:
    """Another content type is a PermanentError."""
    page = reply("200 OK", b"<html>", "Content-Type: text/html")
    with scripted(page) as server, pytest.raises(PermanentError) as error:
        list(client(server).events("c-0123"))
    assert error.value.code == "BadReply"
