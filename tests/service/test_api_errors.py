"""Bad input, at the door: each answer is problem details naming field, value and rule."""

from __future__ import annotations

import hashlib
import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine

from clipmaker import clip
from clipmill.protocol import MediaKind, UploadPurpose
from clipmill_api.http.request_limits import LIMIT_BYTES
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from harness import SMALL, Harness, library_clip, running
from pods import announcement, url


@pytest.fixture(scope="module")
def user(api: Harness) -> Client:
    """Somebody without limits."""
    return api.user()[1]


@pytest.fixture(scope="module")
def http(api: Harness, user: Client) -> Iterator[httpx.Client]:
    """Raw requests of that user."""
    headers = dict(user.wire.once("GET", "/api/quota").request.headers)
    key = {"Authorization": headers["authorization"]}
    with httpx.Client(base_url=api.url, headers=key, verify=False) as client:
        yield client


def problem(reply: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem details of a refusal, in the one form that all have."""
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    body: dict[str, Any] = reply.json()
    assert (reply.status_code, body["status"], body["code"]) == (status, status, code), body
    assert body["type"] == "about:blank"
    assert body["title"]
    assert "Traceback" not in body["detail"]
    return body


def manifest(**spec: Any) -> dict[str, Any]:
    """A manifest as JSON."""
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": "bad"},
        "spec": {"clips": [{"url": "https://clips.example.com/a.mp4"}], "outputs": [SMALL], **spec},
    }


# --- what the framework would have said in its own way ------------------------------------------


def test_unknown_route(http: httpx.Client) -> None:
    """404 names what was asked."""
    body = problem(http.get("/api/nothing"), 404, "NotFound")
    assert body["detail"] == "there is no GET /api/nothing"


def test_wrong_method(http: httpx.Client) -> None:
    """405 names what is allowed, in the text and in the header."""
    reply = http.patch("/api/quota")
    assert "GET" in problem(reply, 405, "MethodNotAllowed")["detail"]
    assert reply.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"{", "body: no JSON: "),
        (b"", "body: Field required"),
        (b"\xff\xfe", "body: "),
        (b'"text"', "body: "),
        (b"[1, 2]", "body: "),
        (b'{"a": NaN}', "apiVersion: Field required"),
    ],
)
def test_malformed_json(http: httpx.Client, sent: bytes, said: str) -> None:
    """No JSON, or JSON that is no object: said, with the place."""
    headers = {"Content-Type": "application/json"}
    reply = http.post("/api/compilations", content=sent, headers=headers)
    assert reply.status_code in (400, 422)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.status_code == 400 or reply.json()["detail"].startswith(said), reply.text


def test_body_over_the_limit_by_its_header(api: Harness) -> None:
    """A body announced as too large is refused before it is sent."""
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        head = f"POST /api/plan HTTP/1.1\r\nHost: x\r\nContent-Length: {LIMIT_BYTES + 1}\r\n\r\n"
        raw.sendall(head.encode())
        answer = raw.makefile("rb").readline()
    assert b" 413 " in answer


def test_body_over_the_limit_by_counting(http: httpx.Client) -> None:
    """One that does not say its length is counted."""

    def chunks() -> Iterator[bytes]:
        yield b'{"spec": {"title": "'
        for _ in range(LIMIT_BYTES // 65536 + 1):
            yield b"x" * 65536

    reply = http.post("/api/plan", content=chunks(), headers={"Content-Type": "application/json"})
    assert str(LIMIT_BYTES) in problem(reply, 413, "TooLarge")["detail"]


# --- manifests ------------------------------------------------------------------------------------

CLIP = {"url": "https://clips.example.com/a.mp4"}
BAD_MANIFESTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("unknown field", {"colour": "red"}, ["spec.colour", "red", "not permitted"]),
    (
        "unknown field of a clip",
        {"clips": [{**CLIP, "speed": 2}]},
        ["spec.clips[0].speed", "2", "not permitted"],
    ),
    (
        "end before start",
        {"clips": [{**CLIP, "start": "5s", "end": "3s"}]},
        ["spec.clips[0]", "end 3s", "after start 5s"],
    ),
    (
        "both url and mediaId",
        {"clips": [{**CLIP, "mediaId": "m-0000"}]},
        ["spec.clips[0]", "both url and mediaId", "exactly one"],
    ),
    ("neither", {"clips": [{"title": "t"}]}, ["spec.clips[0]", "neither url nor mediaId"]),
    ("no clips", {"clips": []}, ["spec.clips", "at least 1 item"]),
    ("501 clips", {"clips": [CLIP] * 501}, ["spec.clips", "at most 500 items", "501"]),
    ("2 MB title", {"title": "t" * 2_000_000}, ["spec.title", "200 characters", "2000002"]),
    ("NUL in a title", {"title": "a\0b"}, ["spec.title", "control characters"]),
    ("script URL", {"clips": [{"url": "javascript:alert(1)"}]}, ["spec.clips[0].url", "http"]),
    ("private address", {"clips": [{"url": "http://10.0.0.1/a"}]}, ["clips[0].url", "10.0.0.1"]),
    ("metadata address", {"clips": [{"url": "http://169.254.169.254/"}]}, ["169.254.169.254"]),
    (
        "second clip's URL",
        {"clips": [CLIP, {"url": "ftp://example.com/a"}]},
        ["spec.clips[1].url", "only http and https"],
    ),
    ("no such preset", {"outputs": [{"name": "m", "preset": "vhs"}]}, ["preset", "vhs"]),
    ("odd width", {"outputs": [{**SMALL, "width": 853}]}, ["width", "853", "multiple of 2"]),
    ("no duration", {"maxClipDuration": "ten"}, ["spec.maxClipDuration", "ten", "1m30s"]),
    ("number as duration", {"maxClipDuration": 10}, ["spec.maxClipDuration", "10", "string"]),
    ("too many wanted", {"minimumClips": 2}, ["minimumClips 2", "1 clips given"]),
    ("not a level", {"audio": {"loudness": "loud"}}, ["spec.audio.loudness", "loud"]),
    ("foreign media", {"clips": [{"mediaId": "m-foreign"}]}, ["clips[0].mediaId", "m-foreign"]),
    ("foreign intro", {"intro": {"mediaId": "m-foreign"}}, ["spec.intro.mediaId", "m-foreign"]),
    ("somebody else", {"owner": "eve"}, ["spec.owner", "eve"]),
]


@pytest.mark.parametrize(("name", "spec", "said"), BAD_MANIFESTS, ids=[b[0] for b in BAD_MANIFESTS])
@pytest.mark.parametrize("where", ["/api/plan", "/api/compilations"])
def test_bad_manifest(
    http: httpx.Client, where: str, name: str, spec: dict[str, Any], said: list[str]
) -> None:
    """Submitting and planning refuse alike: one message with field, value and rule; short."""
    reply = http.post(where, json=manifest(**spec))
    assert reply.status_code in (403, 422)
    assert reply.headers["content-type"] == "application/problem+json"
    detail = reply.json()["detail"]
    assert [word for word in said if word not in detail] == []
    assert len(reply.content) < 4000


def test_nothing_is_kept_of_a_refusal(api: Harness, http: httpx.Client) -> None:
    """A refused submission leaves no row and no reservation."""
    _, user = api.user(render_limit_seconds=10)
    with pytest.raises(PermanentError) as refused:
        user.wire.once("POST", "/api/compilations", json=manifest())
    assert (refused.value.status, refused.value.code) == (403, "QuotaExceeded")
    assert refused.value.facts["estimatedSeconds"] == 60
    assert (refused.value.facts["remainingSeconds"], refused.value.facts["limitSeconds"]) == (
        10,
        10,
    )
    account = user.account()
    assert (account.render_reserved_seconds, user.compilations().items) == (0, [])


# --- files ----------------------------------------------------------------------------------------

PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
BAD_FILES: list[tuple[str, bytes, str]] = [
    ("text named mp4", b"this is a text file, honest\n" * 50, "notes.mp4"),
    ("playlist named mp4", PLAYLIST, "clip.mp4"),
    ("zeros", bytes(5000), "zeros.mp4"),
]


@pytest.mark.parametrize(("name", "data", "filename"), BAD_FILES, ids=[b[0] for b in BAD_FILES])
def test_bad_file(user: Client, tmp_path: Path, name: str, data: bytes, filename: str) -> None:
    """What is no video is refused by what it is, not by its name; its storage is free again."""
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
    """Nothing can be announced of no bytes."""
    asked = {
        "purpose": "library",
        "kind": "clip",
        "filename": "e.mp4",
        "sizeBytes": 0,
        "sha256": "0" * 64,
    }
    detail = problem(http.post("/api/uploads", json=asked), 422, "Invalid")["detail"]
    assert "sizeBytes" in detail
    assert "0" in detail


@pytest.mark.parametrize("filename", ["../../etc/cron.d/x.mp4", "/etc/passwd", "a\\..\\b.mp4"])
def test_filename_is_only_a_name(
    api: Harness, user: Client, two_seconds: Path, filename: str
) -> None:
    """A name with a path in it is kept as text and opens nothing: bytes lie by their sha256."""
    media = user.upload_media(two_seconds, MediaKind.CLIP, filename)
    reply = user.wire.once("GET", f"/api/media/{media.id}/content", headers={"Range": "bytes=0-0"})
    assert "/" not in reply.headers["content-disposition"].split("''")[1]
    kept = {p.name for p in (api.settings.state / "blobs").rglob("*") if p.is_file()}
    assert media.sha256 in kept
    assert not [name for name in kept if "etc" in name or ".." in name]


# --- uploads --------------------------------------------------------------------------------------


def announced(user: Client, path: Path, **more: object) -> dict[str, Any]:
    """An announcement's answer."""
    asked = announcement(path, UploadPurpose.LIBRARY, kind=MediaKind.CLIP, **more)
    reply = user.wire.send("POST", "/api/uploads", body=asked)
    found: dict[str, Any] = reply.json()
    return found


def append(http: httpx.Client, upload_id: str, offset: object, data: bytes) -> httpx.Response:
    """Bytes at an offset."""
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    return http.patch(f"/api/uploads/{upload_id}", content=data, headers=headers)


@pytest.fixture
def fresh(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A clip that nobody has sent."""
    hz = int(hashlib.sha256(request.node.name.encode()).hexdigest()[:4], 16) % 3000 + 200
    sound = f"sine=frequency={hz}:sample_rate=48000"
    return clip(tmp_path / "fresh.mp4", seconds=1, sound=sound)


def test_upload_resumes_where_it_stopped(user: Client, http: httpx.Client, fresh: Path) -> None:
    """The same announcement is the same upload; bytes go on only where they ended."""
    data = fresh.read_bytes()
    upload = announced(user, fresh)
    assert append(http, upload["id"], 0, data[:1000]).json()["offset"] == 1000
    again = announced(user, fresh)
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


def test_the_last_bytes_may_complete_it(user: Client, http: httpx.Client, fresh: Path) -> None:
    """`Upload-Complete: ?1` publishes with the last bytes; too early it says what is missing."""
    data = fresh.read_bytes()
    upload = announced(user, fresh)
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
def test_offset_that_is_none(user: Client, http: httpx.Client, fresh: Path, offset: str) -> None:
    """An Upload-Offset that is no number is named."""
    reply = append(http, announced(user, fresh)["id"], offset, b"x")
    assert "upload-offset" in problem(reply, 422, "Invalid")["detail"]


def test_more_than_announced_is_refused(user: Client, http: httpx.Client, fresh: Path) -> None:
    """Bytes beyond the announced size are not kept, and what was there can still go on."""
    data = fresh.read_bytes()
    upload = announced(user, fresh)
    reply = append(http, upload["id"], 0, data + b"more")
    assert problem(reply, 413, "TooLarge")["limitBytes"] == len(data)
    here = http.get(f"/api/uploads/{upload['id']}").json()["offset"]
    assert here <= len(data)
    append(http, upload["id"], here, data[here:])
    assert http.post(f"/api/uploads/{upload['id']}/complete").json()["complete"]


def test_other_bytes_than_announced(user: Client, http: httpx.Client, fresh: Path) -> None:
    """A wrong sha256 is told with both digests; the upload and its storage are gone."""
    before = user.account().storage_used_bytes
    upload = announced(user, fresh)
    size = fresh.stat().st_size
    append(http, upload["id"], 0, bytes(size))
    reply = http.post(f"/api/uploads/{upload['id']}/complete")
    detail = problem(reply, 422, "DigestMismatch")["detail"]
    assert hashlib.sha256(bytes(size)).hexdigest() in detail
    problem(http.get(f"/api/uploads/{upload['id']}"), 404, "NotFound")
    assert user.account().storage_used_bytes == before


def test_too_large_to_announce(api: Harness, http: httpx.Client) -> None:
    """Over the limit of the API: refused before a byte is sent, with the limit."""
    asked = {
        "purpose": "library",
        "kind": "clip",
        "filename": "big.mp4",
        "sizeBytes": api.settings.max_upload_bytes + 1,
        "sha256": "0" * 64,
    }
    body = problem(http.post("/api/uploads", json=asked), 413, "TooLarge")
    assert body["limitBytes"] == api.settings.max_upload_bytes


def test_storage_that_does_not_suffice(api: Harness, fresh: Path) -> None:
    """A file larger than what is left is refused with the numbers; 0 is no room at all."""
    for limit in (0, 1000):
        _, small = api.user(storage_limit_bytes=limit)
        with pytest.raises(PermanentError) as refused:
            small.upload_media(fresh, MediaKind.CLIP)
        assert (refused.value.status, refused.value.code) == (403, "StorageQuotaExceeded")
        assert refused.value.facts["limitBytes"] == limit
        assert refused.value.facts["remainingBytes"] == limit
        assert small.account().storage_used_bytes == 0


def test_a_cut_connection_keeps_what_came(
    api: Harness, user: Client, http: httpx.Client, tmp_path: Path
) -> None:
    """The connection ends within a chunk: every byte that came is there, to go on from."""
    path = tmp_path / "long.mp4"
    path.write_bytes(random.Random(url()).randbytes(3_000_000))
    data = path.read_bytes()
    upload = announced(user, path)
    host, port = api.url.removeprefix("http://").split(":")
    head = (
        f"PATCH /api/uploads/{upload['id']} HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: {http.headers['authorization']}\r\n"
        f"Upload-Offset: 0\r\nContent-Length: {len(data)}\r\n\r\n"
    )

    def here() -> int:
        return int(http.get(f"/api/uploads/{upload['id']}").json()["offset"])

    with socket.create_connection((host, int(port))) as raw:
        raw.sendall(head.encode() + data[:1_500_000])
        wait_for(lambda: here() >= 1_000_000)
    wait_for(lambda: here() == 1_500_000)
    reply = append(http, upload["id"], 1_500_000, data[1_500_000:])
    assert reply.json()["offset"] == len(data)
    assert (api.settings.state / "spool" / upload["id"]).read_bytes() == data


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it holds; a condition that never does ends the test by its deadline."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline


# --- ranges ---------------------------------------------------------------------------------------


def test_ranges(user: Client, http: httpx.Client, two_seconds: Path) -> None:
    """Each form of Range: the part, the whole where it is odd, 416 where it lies outside."""
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


# --- pages and repeats ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("cursor=" + "A" * 300, "cursor"),
    ],
)
@pytest.mark.parametrize("where", ["/api/compilations", "/api/media"])
def test_odd_page(http: httpx.Client, where: str, query: str, field: str) -> None:
    """A page that cannot be: 422 naming the parameter."""
    assert field in problem(http.get(f"{where}?{query}"), 422, "Invalid")["detail"]


def test_pages_hold_each_row_once(api: Harness, two_seconds: Path) -> None:
    """Walking the pages shows each row once, in order, also while new ones come."""
    _, user = api.user()
    media = library_clip(user, two_seconds)
    body = manifest(clips=[{"mediaId": media.id}])
    made = [user.wire.once("POST", "/api/compilations", json=body).json()["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = user.compilations(cursor=cursor, limit=2)
        seen += [row.id for row in page.items]
        if len(seen) == 2:
            user.wire.once("POST", "/api/compilations", json=body)
        if page.next is None:
            break
        cursor = page.next
    assert seen == made[::-1]


def test_idempotency_key(api: Harness, two_seconds: Path) -> None:
    """One key is one compilation; another request under it is refused; keys are the owner's own."""
    _, user = api.user()
    _, other = api.user()
    ids = []
    for someone in (user, other):
        media = library_clip(someone, two_seconds)
        body = manifest(clips=[{"mediaId": media.id}])
        headers = {"Idempotency-Key": "k" * 200, "Content-Type": "application/json"}
        content = json.dumps(body)
        ids += [
            someone.wire.once("POST", "/api/compilations", content=content, headers=headers).json()[
                "id"
            ]
            for _ in range(2)
        ]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert len(user.compilations().items) == 1
    with pytest.raises(PermanentError) as long:
        user.wire.once(
            "POST", "/api/compilations", json=body, headers={"Idempotency-Key": "k" * 201}
        )
    assert long.value.facts["errors"][0]["field"] == "idempotency-key"


def test_a_database_that_is_away_may_be_tried_again(tmp_path: Path) -> None:
    """503 with Retry-After, not 500: a pod whose call meets its restart must not give up."""
    with running(tmp_path / "state") as api:
        api.app.state.context.db.engine = create_engine("postgresql+psycopg://127.0.0.1:1/gone")
        reply = httpx.get(f"{api.url}/api/quota", headers={"Authorization": "Bearer cm_u_any"})
    assert problem(reply, 503, "DatabaseUnavailable")["detail"].endswith("try again")
    assert reply.headers["Retry-After"] == "2"
