"""The client on a network that fails: what is tried again, what is not, and where bytes go on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clipmill.protocol import MediaKind, Stage, UploadPurpose
from clipmill.spec import Manifest
from clipmill_client import transfer
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError, RetryableError
from faulty_network import Listener, cutting, scripted
from harness import Harness
from pods import announcement, url

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


def reply(status: str, body: object, *headers: str) -> bytes:
    """A raw HTTP reply."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


GOOD = reply("200 OK", ACCOUNT)
BUSY = reply("503 Service Unavailable", {"code": "Busy", "detail": "later"}, "Retry-After: 2")
CUT = GOOD[:-20]
REFUSED = reply("422 Unprocessable Content", {"code": "Invalid", "detail": "a: wrong", "a": 1})


OPEN: list[Client] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Every client that a test opened is closed after it."""
    yield
    while OPEN:
        OPEN.pop().close()


def opened(url: str, key: str, waits: list[float] | None = None, **more: Any) -> Client:
    """A client that notes its waits instead of waiting."""
    pause = waits.append if waits is not None else lambda _: None
    OPEN.append(Client(url, key, pause=pause, **more))
    return OPEN[-1]


def client(listener: Listener, waits: list[float] | None = None, **more: Any) -> Client:
    """A client of a scripted server."""
    return opened(listener.url, "cm_u_" + "k" * 40, waits, **more)


TRIED_AGAIN: list[tuple[str, bytes]] = [
    ("503", BUSY),
    ("502 of a proxy, as HTML", reply("502 Bad Gateway", b"<html>bad gateway</html>")),
    ("504", reply("504 Gateway Timeout", b"")),
    ("429", reply("429 Too Many Requests", {"code": "Slow", "detail": "slower"})),
    ("cut within the body", CUT),
    ("cut within the head", b"HTTP/1.1 200 OK\r\nContent-Le"),
    ("closed without a word", b""),
    ("no HTTP at all", b"SSH-2.0-OpenSSH_9.9\r\n"),
]


@pytest.mark.parametrize(("name", "bad"), TRIED_AGAIN, ids=[row[0] for row in TRIED_AGAIN])
def test_tried_again(name: str, bad: bytes) -> None:
    """Twice bad, then good: the caller notices nothing but the time."""
    waits: list[float] = []
    with scripted(bad, bad, GOOD) as server:
        assert client(server, waits).account().owner == "ada"
    assert len(server.received) == 3
    assert len(set(server.received)) == 1
    assert len(waits) == 2


def test_a_slow_server_is_left_and_tried_again() -> None:
    """No answer within the time-out counts as none."""
    with scripted(None, GOOD) as server:
        fast = httpx.Timeout(5, read=0.2)
        assert client(server, timeout=fast).account().owner == "ada"
    assert len(server.received) == 2


def test_it_gives_up_in_the_end() -> None:
    """After the last attempt the error says what was the matter."""
    with scripted(*[BUSY] * 3) as server, pytest.raises(RetryableError) as error:
        client(server, attempts=3).account()
    assert (error.value.code, error.value.detail, error.value.status) == ("Busy", "later", 503)
    assert len(server.received) == 3


def test_retry_after_is_obeyed_and_waits_differ() -> None:
    """Never before the time named; without one, by chance, so that not all come back at once."""
    waits: list[float] = []
    with scripted(BUSY, BUSY, GOOD) as server:
        client(server, waits).account()
    assert all(wait >= 2 for wait in waits)
    chance: set[float] = set()
    for _ in range(3):
        waits = []
        with scripted(CUT, GOOD) as server:
            client(server, waits).account()
        chance |= set(waits)
    assert len(chance) > 1


NOT_TRIED_AGAIN: list[tuple[str, bytes, str]] = [
    ("422", REFUSED, "Invalid"),
    ("401", reply("401 Unauthorized", {"code": "Unauthorized", "detail": "no"}), "Unauthorized"),
    ("500", reply("500 Internal Server Error", {"code": "Internal", "detail": "ours"}), "Internal"),
    ("a page instead of the API", reply("200 OK", b"<html>hello</html>"), "BadReply"),
    ("another API", reply("200 OK", {"hello": "world"}), "BadReply"),
    ("a redirect", reply("302 Found", b"", "Location: https://example.com/"), "BadReply"),
]


@pytest.mark.parametrize(
    ("name", "bad", "code"), NOT_TRIED_AGAIN, ids=[row[0] for row in NOT_TRIED_AGAIN]
)
def test_not_tried_again(name: str, bad: bytes, code: str) -> None:
    """What would be answered the same again is raised at once, with its code and facts."""
    with scripted(bad) as server, pytest.raises(PermanentError) as error:
        client(server).account()
    assert error.value.code == code
    assert len(server.received) == 1
    assert "\n" not in str(error.value)
    if code == "Invalid":
        assert error.value.facts["a"] == 1


@pytest.mark.parametrize("url", ["ftp://example.com", "example.com", "http://[::1", ""])
def test_a_url_that_is_none(url: str) -> None:
    """A base URL that cannot be asked is said at once, as an error of ours."""
    with pytest.raises(PermanentError):
        opened(url, "cm_u_x").account()


def test_nobody_listens() -> None:
    """A refused connection is retryable and names the address."""
    with scripted() as server:
        gone = server.url
    with pytest.raises(RetryableError) as error:
        opened(gone, "cm_u_x", attempts=2).account()
    assert (error.value.code, gone in error.value.detail) == ("Unreachable", True)


def test_a_key_is_minted_once() -> None:
    """What would be there twice is not asked for twice."""
    with scripted(CUT, GOOD) as server, pytest.raises(RetryableError):
        client(server).admin.create_key("ada")
    assert len(server.received) == 1


def test_create_repeats_under_one_key(api: Harness, two_seconds: Path) -> None:
    """The answer to a submission is lost: the second sending is the same compilation."""
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
        opened(proxy.url, key).create(manifest)
    assert len(user.compilations().items) == 1


def noise(path: Path, size: int) -> Path:
    """A file of bytes that nobody has."""
    path.write_bytes(random.Random(str(path)).randbytes(size))
    return path


def test_upload_goes_on_where_it_was_cut(
    api: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three connections cut within a chunk: every byte arrives in its place, none is sent twice."""
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 1_000_000)
    owner, _ = api.user()
    path = noise(tmp_path / "big.mp4", 4_000_000)
    asked = announcement(path, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    key = api.admin.create_key(owner)
    with cutting(api.url, up=[700_000, 1_200_000, 400_000], down=[]) as proxy:
        sender = opened(proxy.url, key, attempts=50)
        with pytest.raises(PermanentError) as no_video:
            sender.upload(path, asked)
    assert no_video.value.status == 422
    assert no_video.value.code != "DigestMismatch"


@pytest.mark.parametrize("cut", [[], [9_000], [9_000, 4_000]], ids=["whole", "once", "twice"])
def test_a_small_file_goes_by_one_request(
    api: Harness, two_seconds: Path, tmp_path: Path, cut: list[int]
) -> None:
    """A job's file is announced, sent and completed at once; cut, only its rest is sent."""
    owner, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    uid, _ = api.register(owner, {"clips": [{"mediaId": media_id}]})
    key = api.operator.create_key(uid, Stage.ASSEMBLE, 1)
    with api.client(key) as direct:
        epoch = direct.claim(0, "a").epoch
    segment_key = f"{len(cut)}" * 64
    asked = announcement(two_seconds, UploadPurpose.SEGMENT, segment_key=segment_key, epoch=epoch)
    with cutting(api.url, up=cut, down=[]) as proxy:
        job = opened(proxy.url, key, attempts=9)
        sent = job.upload(two_seconds, asked)
        assert (sent.complete, sent.offset) == (True, two_seconds.stat().st_size)
        job.download_segment(str(sent.segment_key), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == two_seconds.read_bytes()


def test_a_whole_file_may_be_larger_than_other_bodies(api: Harness, tmp_path: Path) -> None:
    """5 MB in one request are read to their end, and only then judged: noise is no video."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    order, path = job.claim(0, "a"), noise(tmp_path / "noise.mp4", 5_000_000)
    assert order.fetch is not None
    clip = {"clip_id": order.fetch.clip_id, "epoch": order.epoch}
    with pytest.raises(PermanentError) as judged:
        job.upload(path, announcement(path, UploadPurpose.CLIP, **clip))
    assert (judged.value.status, judged.value.code) == (422, "NotMedia")


def test_a_whole_file_after_a_part_of_it(api: Harness, two_seconds: Path) -> None:
    """What an earlier process sent stays: of the whole file only the rest is written."""
    owner, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    uid, _ = api.register(owner, {"clips": [{"mediaId": media_id}]})
    job = api.job(uid, Stage.ASSEMBLE)
    epoch = job.claim(0, "a").epoch
    asked = announcement(two_seconds, UploadPurpose.SEGMENT, segment_key="f" * 64, epoch=epoch)
    upload_id = job.connection.request("POST", "/api/uploads", body=asked).json()["id"]
    headers, start = {"Upload-Offset": "0"}, two_seconds.read_bytes()[:5000]
    job.connection.request_once(
        "PATCH", f"/api/uploads/{upload_id}", content=start, headers=headers
    )
    sent = job.upload(two_seconds, asked)
    assert (sent.id, sent.complete) == (upload_id, True)


def test_download_goes_on_where_it_was_cut(api: Harness, two_seconds: Path, tmp_path: Path) -> None:
    """Two connections cut within the body: the rest is asked for by Range, the sha256 is right."""
    owner, user = api.user()
    media = user.upload_media(two_seconds, MediaKind.CLIP)
    size = two_seconds.stat().st_size
    with cutting(api.url, up=[], down=[size // 3, size // 3]) as proxy:
        reader = opened(proxy.url, api.admin.create_key(owner))
        reader.download_media(media.id, tmp_path / "back.mp4")
    assert (tmp_path / "back.mp4").read_bytes() == two_seconds.read_bytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "back.mp4"]


def test_download_asks_for_the_rest_only(tmp_path: Path) -> None:
    """The second request starts at the byte where the first one ended."""
    data = bytes(range(256)) * 8
    etag = 'ETag: "c0ffee"'
    first = reply("200 OK", data, etag)[: -len(data) + 700]
    rest = reply("206 Partial Content", data[700:], etag, "Content-Range: bytes 700-2047/2048")
    whole = reply("200 OK", data, etag)
    with scripted(first, rest, whole, whole) as server, pytest.raises(RetryableError) as wrong:
        client(server, attempts=4).download_media("m-0000", tmp_path / "a.mp4")
    assert wrong.value.code == "DigestMismatch"
    assert b"range: bytes=700-" in server.received[1].lower()
    assert not any(b"range:" in request.lower() for request in server.received[2:])
    assert list(tmp_path.iterdir()) == []


def test_a_stale_part_is_thrown_away(api: Harness, two_seconds: Path, tmp_path: Path) -> None:
    """A part of another, or a longer, file does not spoil the download."""
    owner, user = api.user()
    media = user.upload_media(two_seconds, MediaKind.CLIP)
    for size in (1000, two_seconds.stat().st_size, two_seconds.stat().st_size + 9):
        (tmp_path / "a.mp4.part").write_bytes(b"?" * size)
        client = opened(api.url, api.admin.create_key(owner))
        client.download_media(media.id, tmp_path / "a.mp4")
        assert (tmp_path / "a.mp4").read_bytes() == two_seconds.read_bytes()
