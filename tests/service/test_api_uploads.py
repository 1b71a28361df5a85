"""Uploads and downloads: bad files, resumption, limits and ranges."""

from __future__ import annotations

import hashlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clipmaker import clip
from clipmill.protocol import MediaKind, UploadPurpose
from clipmill_client import Client, PermanentError
from harness import Harness, library_clip
from pods import announcement, url


@pytest.fixture(scope="module")
def user(api: Harness) -> Client:
    """A user without limits."""
    return api.user()[1]


@pytest.fixture(scope="module")
def http(api: Harness, user: Client) -> Iterator[httpx.Client]:
    """A plain HTTP client with that user's key."""
    request = user.connection.request_once("GET", "/api/quota").request
    key = {"Authorization": request.headers["authorization"]}
    with httpx.Client(base_url=api.url, headers=key, verify=False) as client:
        yield client


def problem(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem details of an error, after checking their form."""
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    body: dict[str, Any] = reply.json()
    assert (reply.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["type"] == "about:blank"
    assert body["title"]
    assert "Traceback" not in body["detail"]
    return body


# --- files ----------------------------------------------------------------------------------------

PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
BAD_FILES: list[tuple[str, bytes, str]] = [
    ("text named mp4", b"this is a text file, honest\n" * 50, "notes.mp4"),
    ("playlist named mp4", PLAYLIST, "clip.mp4"),
    ("zeros", bytes(5000), "zeros.mp4"),
]


@pytest.mark.parametrize(("name", "data", "filename"), BAD_FILES, ids=[b[0] for b in BAD_FILES])
def test_bad_file(user: Client, tmp_path: Path, name: str, data: bytes, filename: str) -> None:
    """A file that is not a video is refused by its content, and its storage is released."""
    path = tmp_path / filename
    path.write_bytes(data)
    before = user.account().storage_used_bytes
    with pytest.raises(PermanentError) as refused:
        user.upload_media(path, MediaKind.CLIP)
    assert refused.value.status == 422
    assert filename in refused.value.detail
    assert "passwd" not in refused.value.detail
    assert user.account().storage_used_bytes == before


def test_empty_file(http: httpx.Client) -> None:
    """A file without bytes cannot be announced."""
    announcement = {
        "purpose": "library",
        "kind": "clip",
        "filename": "e.mp4",
        "sizeBytes": 0,
        "sha256": "0" * 64,
    }
    detail = problem(http.post("/api/uploads", json=announcement), 422, "Invalid")["detail"]
    assert "sizeBytes" in detail
    assert "0" in detail


@pytest.mark.parametrize("filename", ["../../etc/cron.d/x.mp4", "/etc/passwd", "a\\..\\b.mp4"])
def test_filename_is_not_a_path(
    api: Harness, user: Client, two_seconds: Path, filename: str
) -> None:
    """A name that contains a path is stored as text; the blob is named by its SHA-256."""
    media = user.upload_media(two_seconds, MediaKind.CLIP, filename)
    path, headers = f"/api/media/{media.id}/content", {"Range": "bytes=0-0"}
    reply = user.connection.request_once("GET", path, headers=headers)
    assert "/" not in reply.headers["content-disposition"].split("''")[1]
    blobs = {p.name for p in (api.settings.state / "blobs").rglob("*") if p.is_file()}
    assert media.sha256 in blobs
    assert not [name for name in blobs if "etc" in name or ".." in name]


# --- uploads --------------------------------------------------------------------------------------


def announce(user: Client, path: Path) -> dict[str, Any]:
    """Announce a library file; return the upload."""
    request = announcement(path, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    upload: dict[str, Any] = user.connection.request("POST", "/api/uploads", body=request).json()
    return upload


def append(http: httpx.Client, upload_id: str, offset: object, data: bytes) -> httpx.Response:
    """Append bytes at an offset."""
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return http.patch(f"/api/uploads/{upload_id}", content=data, headers=headers)


@pytest.fixture
def fresh(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A clip that was never uploaded."""
    hz = int(hashlib.sha256(request.node.name.encode()).hexdigest()[:4], 16) % 3000 + 200
    sound = f"sine=frequency={hz}:sample_rate=48000"
    return clip(tmp_path / "fresh.mp4", seconds=1, sound=sound)


def test_upload_resumes_at_its_offset(user: Client, http: httpx.Client, fresh: Path) -> None:
    """The same announcement returns the same upload, which accepts bytes at its offset alone."""
    data = fresh.read_bytes()
    upload = announce(user, fresh)
    assert append(http, upload["id"], 0, data[:1000]).json()["offset"] == 1000
    again = announce(user, fresh)
    assert (again["id"], again["offset"]) == (upload["id"], 1000)
    for offset in (0, 999, 1001, len(data)):
        body = problem(append(http, upload["id"], offset, b"x"), 409, "WrongOffset")
        assert body["offset"] == 1000
    early = http.post(f"/api/uploads/{upload['id']}/complete")
    assert problem(early, 409, "Incomplete")["offset"] == 1000
    assert append(http, upload["id"], 1000, data[1000:]).json()["offset"] == len(data)
    done = http.post(f"/api/uploads/{upload['id']}/complete").json()
    assert done["complete"]
    assert http.post(f"/api/uploads/{upload['id']}/complete").json() == done
    assert append(http, upload["id"], 0, b"x").json()["complete"]


def test_the_last_bytes_may_complete_the_upload(
    user: Client, http: httpx.Client, fresh: Path
) -> None:
    """`Upload-Complete: ?1` publishes with the last bytes; sent too early it is 409."""
    data = fresh.read_bytes()
    upload = announce(user, fresh)
    headers = {"Upload-Offset": "0", "Upload-Complete": "?1"}
    early = http.patch(f"/api/uploads/{upload['id']}", content=data[:1000], headers=headers)
    assert problem(early, 409, "Incomplete")["offset"] == 1000
    headers["Upload-Offset"] = "1000"
    done = http.patch(f"/api/uploads/{upload['id']}", content=data[1000:], headers=headers).json()
    assert done["complete"]
    assert user.media(done["mediaId"]).sha256 == hashlib.sha256(data).hexdigest()
    again = http.patch(f"/api/uploads/{upload['id']}", content=b"x", headers=headers).json()
    assert again == done


@pytest.mark.parametrize("offset", ["-1", "abc", ""])
def test_malformed_offset(user: Client, http: httpx.Client, fresh: Path, offset: str) -> None:
    """An Upload-Offset that is not a number is 422."""
    reply = append(http, announce(user, fresh)["id"], offset, b"x")
    assert problem(reply, 422, "Invalid")["errors"][0]["field"] == "upload-offset"


def test_more_than_announced_is_refused(user: Client, http: httpx.Client, fresh: Path) -> None:
    """Bytes beyond the announced size are not kept, and the upload can continue."""
    data = fresh.read_bytes()
    upload = announce(user, fresh)
    reply = append(http, upload["id"], 0, data + b"more")
    assert problem(reply, 413, "TooLarge")["limitBytes"] == len(data)
    offset = http.get(f"/api/uploads/{upload['id']}").json()["offset"]
    assert offset <= len(data)
    append(http, upload["id"], offset, data[offset:])
    assert http.post(f"/api/uploads/{upload['id']}/complete").json()["complete"]


def test_wrong_sha256(user: Client, http: httpx.Client, fresh: Path) -> None:
    """The error names both digests, and the upload and its reserved storage are deleted."""
    before = user.account().storage_used_bytes
    upload = announce(user, fresh)
    size = fresh.stat().st_size
    append(http, upload["id"], 0, bytes(size))
    reply = http.post(f"/api/uploads/{upload['id']}/complete")
    detail = problem(reply, 422, "DigestMismatch")["detail"]
    assert hashlib.sha256(bytes(size)).hexdigest() in detail
    problem(http.get(f"/api/uploads/{upload['id']}"), 404, "NotFound")
    assert user.account().storage_used_bytes == before


def test_too_large_to_announce(api: Harness, http: httpx.Client) -> None:
    """A file above the API's limit is refused before it is sent."""
    announcement = {
        "purpose": "library",
        "kind": "clip",
        "filename": "big.mp4",
        "sizeBytes": api.settings.max_upload_bytes + 1,
        "sha256": "0" * 64,
    }
    body = problem(http.post("/api/uploads", json=announcement), 413, "TooLarge")
    assert body["limitBytes"] == api.settings.max_upload_bytes


def test_storage_quota(api: Harness, fresh: Path) -> None:
    """A file larger than the remaining storage is refused; a limit of 0 allows nothing."""
    for limit in (0, 1000):
        _, small = api.user(storage_limit_bytes=limit)
        with pytest.raises(PermanentError) as refused:
            small.upload_media(fresh, MediaKind.CLIP)
        assert (refused.value.status, refused.value.code) == (403, "StorageQuotaExceeded")
        assert refused.value.facts["limitBytes"] == limit
        assert refused.value.facts["remainingBytes"] == limit
        assert small.account().storage_used_bytes == 0


def test_an_interrupted_request_keeps_its_bytes(
    api: Harness, user: Client, http: httpx.Client, tmp_path: Path
) -> None:
    """After a lost connection the upload continues at the last byte that arrived."""
    path = tmp_path / "long.mp4"
    path.write_bytes(random.Random(url()).randbytes(3_000_000))
    data = path.read_bytes()
    upload = announce(user, path)
    host, port = api.url.removeprefix("http://").split(":")
    head = (
        f"PATCH /api/uploads/{upload['id']} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: {http.headers['authorization']}\r\n"
        f"Upload-Offset: 0\r\nContent-Length: {len(data)}\r\n\r\n"
    )

    def offset() -> int:
        return int(http.get(f"/api/uploads/{upload['id']}").json()["offset"])

    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(head.encode() + data[:1_500_000])
        wait_for(lambda: offset() >= 1_000_000)
    wait_for(lambda: offset() == 1_500_000)
    reply = append(http, upload["id"], 1_500_000, data[1_500_000:])
    assert reply.json()["offset"] == len(data)
    assert (api.settings.state / "spool" / upload["id"]).read_bytes() == data


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, for 30 s at most."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline


# --- ranges ---------------------------------------------------------------------------------------


def test_ranges(user: Client, http: httpx.Client, two_seconds: Path) -> None:
    """206 for a range, 200 for a header that is not one, 416 for a range outside the file."""
    data = two_seconds.read_bytes()
    size = len(data)
    media = library_clip(user, two_seconds)
    table: list[tuple[str, int, bytes]] = [
        ("bytes=0-0", 206, data[:1]),
        ("bytes=5-9", 206, data[5:10]),
        (f"bytes={size - 1}-", 206, data[-1:]),
        ("bytes=-7", 206, data[-7:]),
        (f"bytes=10-{size * 2}", 206, data[10:]),
        (f"bytes=-{size * 2}", 200, data),
        ("bytes=0-", 200, data),
        ("bytes=9-5", 200, data),
        ("bytes=-", 200, data),
        ("bytes=a-b", 200, data),
        ("bytes=0-1,5-6", 200, data),
        ("items=0-1", 200, data),
        ("bytes=" + "9" * 5000 + "-", 200, data),
    ]
    for header, status, expected in table:
        reply = http.get(f"/api/media/{media.id}/content", headers={"Range": header})
        assert (reply.status_code, reply.content == expected) == (status, True), header[:40]
    for header in (f"bytes={size}-", "bytes=-0", f"bytes={size + 5}-{size + 9}"):
        reply = http.get(f"/api/media/{media.id}/content", headers={"Range": header})
        assert problem(reply, 416, "RangeNotSatisfiable")["sizeBytes"] == size
        assert reply.headers["content-range"] == f"bytes */{size}"
    other = {"Range": "bytes=0-0", "If-Range": '"another"'}
    assert http.get(f"/api/media/{media.id}/content", headers=other).status_code == 200
    head = http.head(f"/api/media/{media.id}/content")
    assert (head.headers["content-length"], head.content) == (str(size), b"")
