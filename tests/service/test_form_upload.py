"""Uploads by a form: one file and short fields, received in chunks, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness import Harness, new_manifest, running

BOUNDARY = b"x-boundary"


@pytest.fixture
def http(api: Harness) -> Iterator[httpx.Client]:
    """A client with the key of a new user."""
    owner, _ = api.user()
    headers = {"Authorization": f"Bearer {api.admin.create_key(owner)}"}
    with httpx.Client(base_url=api.url, headers=headers, verify=False, timeout=60) as client:
        yield client


def leftovers(api: Harness) -> list[Path]:
    """Return temporary files of forms."""
    return list(api.settings.temporary.glob("f-*"))


def test_a_form_with_a_file(api: Harness, http: httpx.Client, two_seconds: Path) -> None:
    """The media has the bytes and is played; the same form again is the same media."""
    unfinished = set(api.ctx.spool.ids())
    with two_seconds.open("rb") as file:
        created = http.post("/api/v1/media", files={"file": ("Opener ü.mp4", file)})
    media = created.json()
    assert (created.status_code, media["kind"], media["filename"]) == (201, "clip", "Opener ü.mp4")
    assert media["sha256"] == hashlib.sha256(two_seconds.read_bytes()).hexdigest()
    assert media["facts"]["durationUs"] == 2_000_000
    content = http.get(f"{created.headers['location']}/content")
    assert content.content == two_seconds.read_bytes()
    again = http.post("/api/media", files={"file": ("Opener ü.mp4", two_seconds.read_bytes())})
    assert (again.status_code, again.json()["id"]) == (201, media["id"])
    manifest = new_manifest(media["id"]).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert http.post("/api/compilations", json=manifest).status_code == 201
    assert leftovers(api) == []
    assert set(api.ctx.spool.ids()) <= unfinished


def test_the_kind_is_a_field(http: httpx.Client, two_seconds: Path) -> None:
    """It may come after the file; a kind that only jobs produce is refused."""
    file = {"file": ("a.mp4", two_seconds.read_bytes())}
    assert http.post("/api/media", files=file, data={"kind": "intro"}).json()["kind"] == "intro"
    for kind in ("compilation", "nonsense"):
        refused = http.post("/api/media", files=file, data={"kind": kind})
        assert (refused.status_code, refused.json()["code"]) == (422, "Invalid")
        assert refused.json()["detail"].startswith("kind")


def form(*parts: bytes, end: bytes = b"--x-boundary--\r\n") -> bytes:
    """Return the body of a form with these parts."""
    return b"".join(b"--x-boundary\r\n" + part + b"\r\n" for part in parts) + end


def part(disposition: bytes, data: bytes = b"data") -> bytes:
    """Return a part with its header."""
    return b"Content-Disposition: form-data; " + disposition + b"\r\n\r\n" + data


FILE = part(b'name="file"; filename="a.mp4"')
BAD_FORMS = {
    b"": "file",
    b"no form at all": "body",
    form(part(b'name="kind"', b"clip")): "file",
    form(part(b'name="file"')): "file",
    form(FILE, FILE): "file",
    form(part(b'name="kind"', b"x" * 1001), FILE): "kind",
    form(*(part(b'name="a%d"' % i) for i in range(30)), FILE): "body",
    form(b"X-Long: " + b"x" * 9000 + b"\r\n\r\n", FILE): "body",
    form(part(b'name="file"; filename="a.mp4"', b"")): "sizeBytes",
    form(part(b'name="file"; filename="a\x01b.mp4"')): "filename",
    form(part(b'name="file"; filename="' + b"a" * 300 + b'"')): "filename",
}


@pytest.mark.parametrize("body", BAD_FORMS, ids=[str(n) for n in range(len(BAD_FORMS))])
def test_bad_forms(api: Harness, http: httpx.Client, body: bytes) -> None:
    """They are refused by their field, and leave nothing."""
    headers = {"Content-Type": "multipart/form-data; boundary=x-boundary"}
    refused = http.post("/api/media", content=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "Invalid"), refused.text
    assert refused.json()["field"].startswith(BAD_FORMS[body]), refused.text
    assert leftovers(api) == []


def test_a_file_that_is_no_media(api: Harness, http: httpx.Client) -> None:
    """It is refused as any other upload, by its code."""
    refused = http.post("/api/media", files={"file": ("a.mp4", b"not a video" * 1000)})
    assert (refused.status_code, refused.json()["code"]) == (422, "NotMedia")
    assert leftovers(api) == []


def test_other_content_types(http: httpx.Client) -> None:
    """A body that is no form is refused by its type."""
    for kind in ("application/json", "multipart/form-data", "multipart/mixed; boundary=a"):
        refused = http.post("/api/media", content=b"{}", headers={"Content-Type": kind})
        assert (refused.status_code, refused.json()["field"]) == (422, "Content-Type")


def test_limits(tmp_path: Path, two_seconds: Path) -> None:
    """A file beyond the limit is cut off, and one beyond the tier's storage is not stored."""
    size = two_seconds.stat().st_size
    with running(tmp_path, max_upload_bytes=size) as api:
        owner, user = api.user(storage_limit_bytes=size - 1)
        headers = {"Authorization": f"Bearer {api.admin.create_key(owner)}"}
        with httpx.Client(base_url=api.url, headers=headers, verify=False, timeout=60) as client:
            files = {"file": ("a.mp4", two_seconds.read_bytes() + b"x")}
            too_large = client.post("/api/media", files=files)
            assert (too_large.status_code, too_large.json()["code"]) == (413, "TooLarge")
            files = {"file": ("a.mp4", two_seconds.read_bytes())}
            refused = client.post("/api/media", files=files)
            assert (refused.status_code, refused.json()["code"]) == (403, "StorageQuotaExceeded")
        assert user.library().items == []
        assert leftovers(api) == []


def test_nobody_uploads(api: Harness) -> None:
    """Without a key, and with that of a job, no byte is read."""
    reply = httpx.post(f"{api.url}/api/media", files={"file": ("a.mp4", b"x" * 9)}, timeout=60)
    assert reply.status_code == 401
