"""Bad requests: each error is problem details that name field, value and rule."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine

from clipmill_api.http.request_limits import MAX_BODY_BYTES
from clipmill_client import Client, PermanentError
from harness import SMALL, Harness, library_clip, running


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


def manifest(**spec: Any) -> dict[str, Any]:
    """Return a manifest as JSON."""
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": "bad"},
        "spec": {"clips": [{"url": "https://clips.example.com/a.mp4"}], "outputs": [SMALL], **spec},
    }


# --- errors of the framework ----------------------------------------------------------------------


def test_unknown_route(http: httpx.Client) -> None:
    """404 names method and path."""
    detail = problem(http.get("/api/nothing"), 404, "NotFound")["detail"]
    assert "GET /api/nothing" in detail


def test_wrong_method(http: httpx.Client) -> None:
    """405 names the allowed methods, in the detail and in the header."""
    reply = http.patch("/api/quota")
    assert "GET" in problem(reply, 405, "MethodNotAllowed")["detail"]
    assert reply.headers["allow"] == "GET"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"{", "body"),
        (b"", "body"),
        (b"\xff\xfe", "body"),
        (b'"text"', "body"),
        (b"[1, 2]", "body"),
        (b'{"a": NaN}', "apiVersion"),
    ],
)
def test_malformed_json(http: httpx.Client, content: bytes, field: str) -> None:
    """A body that is not JSON, or not an object, is 400 or 422 with the field."""
    headers = {"Content-Type": "application/json"}
    reply = http.post("/api/compilations", content=content, headers=headers)
    assert reply.status_code in (400, 422)
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.status_code == 400 or reply.json()["errors"][0]["field"] == field, reply.text


def test_announced_body_over_the_limit(api: Harness) -> None:
    """A body with a Content-Length above the limit is refused before it is sent."""
    host, port = api.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        head = f"POST /api/plan HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"
        raw.sendall(head.encode())
        response = raw.makefile("rb").read1()
    assert b" 413 " in response.splitlines()[0]
    assert b"application/problem+json" in response


def test_chunked_body_over_the_limit(http: httpx.Client) -> None:
    """A body without a Content-Length is counted."""

    def chunks() -> Iterator[bytes]:
        yield b'{"spec": {"title": "'
        for _ in range(MAX_BODY_BYTES // 65536 + 1):
            yield b"x" * 65536

    reply = http.post("/api/plan", content=chunks(), headers={"Content-Type": "application/json"})
    assert str(MAX_BODY_BYTES) in problem(reply, 413, "TooLarge")["detail"]


# --- manifests ------------------------------------------------------------------------------------

CLIP = {"url": "https://clips.example.com/a.mp4"}
BAD_MANIFESTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("unknown field", {"colour": "red"}, ["spec.colour", "red", "unknown field"]),
    (
        "unknown field of a clip",
        {"clips": [{**CLIP, "speed": 2}]},
        ["spec.clips[0].speed", "2", "unknown field"],
    ),
    (
        "end before start",
        {"clips": [{**CLIP, "start": "5s", "end": "3s"}]},
        ["spec.clips[0]", "end 3s", "after start 5s"],
    ),
    (
        "both url and mediaId",
        {"clips": [{**CLIP, "mediaId": "m-0000"}]},
        ["spec.clips[0]", "url and mediaId are set", "exactly one"],
    ),
    ("neither", {"clips": [{"title": "t"}]}, ["spec.clips[0]", "none is set", "exactly one"]),
    ("no clips", {"clips": []}, ["spec.clips", "at least 1"]),
    ("501 clips", {"clips": [CLIP] * 501}, ["spec.clips", "at most 500", "501"]),
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
    ("too many wanted", {"minimumClips": 2}, ["minimumClips 2", "1 clips given"]),
    ("not a level", {"audio": {"loudness": "loud"}}, ["spec.audio.loudness", "loud"]),
    ("foreign media", {"clips": [{"mediaId": "m-foreign"}]}, ["clips[0].mediaId", "m-foreign"]),
    ("foreign intro", {"intro": {"mediaId": "m-foreign"}}, ["spec.intro.mediaId", "m-foreign"]),
    ("somebody else", {"owner": "eve"}, ["spec.owner", "eve"]),
]


@pytest.mark.parametrize(
    ("name", "spec", "words"), BAD_MANIFESTS, ids=[b[0] for b in BAD_MANIFESTS]
)
@pytest.mark.parametrize("path", ["/api/plan", "/api/compilations"])
def test_bad_manifest(
    http: httpx.Client, path: str, name: str, spec: dict[str, Any], words: list[str]
) -> None:
    """Submission and planning refuse it alike, with field, value and rule in a short message."""
    reply = http.post(path, json=manifest(**spec))
    assert reply.status_code in (403, 422)
    assert reply.headers["content-type"] == "application/problem+json"
    detail = reply.json()["detail"]
    assert [word for word in words if word not in detail] == []
    assert len(reply.content) < 4000


def test_a_refusal_leaves_no_rows(api: Harness, http: httpx.Client) -> None:
    """A refused submission creates no compilation and reserves nothing."""
    _, user = api.user(render_limit_seconds=10)
    with pytest.raises(PermanentError) as refused:
        user.connection.request_once("POST", "/api/compilations", json=manifest())
    assert (refused.value.status, refused.value.code) == (403, "QuotaExceeded")
    assert refused.value.facts["estimatedSeconds"] == 60
    assert (refused.value.facts["remainingSeconds"], refused.value.facts["limitSeconds"]) == (
        10,
        10,
    )
    account = user.account()
    assert (account.render_reserved_seconds, user.compilations().items) == (0, [])


# --- pages and repetitions ------------------------------------------------------------------------


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
@pytest.mark.parametrize("path", ["/api/compilations", "/api/media"])
def test_bad_page(http: httpx.Client, path: str, query: str, field: str) -> None:
    """A bad limit or cursor is 422 and names the parameter."""
    assert field in problem(http.get(f"{path}?{query}"), 422, "Invalid")["detail"]


def test_pages_hold_each_row_once(api: Harness, two_seconds: Path) -> None:
    """Reading page by page yields each row once, in order, while new ones are created."""
    _, user = api.user()
    media = library_clip(user, two_seconds)
    body = manifest(clips=[{"mediaId": media.id}])
    create = partial(user.connection.request_once, "POST", "/api/compilations", json=body)
    created = [create().json()["id"] for _ in range(5)]
    read: list[str] = []
    cursor = None
    while True:
        page = user.compilations(cursor=cursor, limit=2)
        read += [row.id for row in page.items]
        if len(read) == 2:
            create()
        if page.next is None:
            break
        cursor = page.next
    assert read == created[::-1]


def test_idempotency_key(api: Harness, two_seconds: Path) -> None:
    """One key of an owner creates one compilation."""
    _, user = api.user()
    _, other = api.user()
    ids = []
    for caller in (user, other):
        media = library_clip(caller, two_seconds)
        body = manifest(clips=[{"mediaId": media.id}])
        headers = {"Idempotency-Key": "k" * 200, "Content-Type": "application/json"}
        create = partial(caller.connection.request_once, "POST", "/api/compilations")
        ids += [create(content=json.dumps(body), headers=headers).json()["id"] for _ in range(2)]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert len(user.compilations().items) == 1
    with pytest.raises(PermanentError) as long:
        user.connection.request_once(
            "POST", "/api/compilations", json=body, headers={"Idempotency-Key": "k" * 201}
        )
    assert long.value.facts["errors"][0]["field"] == "idempotency-key"


def test_an_unavailable_database_is_503(tmp_path: Path) -> None:
    """With Retry-After, so that a pod retries while the database restarts."""
    with running(tmp_path / "state") as api:
        api.app.state.context.db.engine = create_engine("postgresql+psycopg://127.0.0.1:1/gone")
        reply = httpx.get(f"{api.url}/api/quota", headers={"Authorization": "Bearer cm_u_any"})
    assert problem(reply, 503, "DatabaseUnavailable")
    assert reply.headers["Retry-After"] == "2"
