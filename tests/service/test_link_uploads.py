"""Uploads and downloads by signed links of an S3 server: their bytes bypass the API."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from clipmill.protocol import CompilationState, MediaKind, Stage, Upload
from clipmill_api.http.authentication import new_key
from clipmill_api.media.retention import sweep
from clipmill_api.media.staging import signed_parts, stored_spool
from clipmill_api.settings import Settings
from clipmill_client import Client, PermanentError
from clipmill_client.errors import LinkFailed
from clipmill_client.transfer import library_request
from clipmill_job.__main__ import main
from harness import SMALL, Harness, library_clip, running
from s3_server import BUCKET, objects, s3_server
from scraping import scrape
from stored_bytes import assert_consistent

PART_BYTES = 1024 * 1024


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of an S3 server with one bucket, to see what is in it."""
    with s3_server() as client:
        yield client


@pytest.fixture(scope="module")
def api(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API that gives links of 60 s to users and jobs, each for 1 MiB."""
    store = {"store_url": f"s3://{BUCKET}/links", "link_s": 60, "job_links": True}
    with (
        pytest.MonkeyPatch.context() as patch,
        running(tmp_path_factory.mktemp("state"), **store) as harness,
    ):
        patch.setattr(signed_parts, "PART_BYTES", PART_BYTES)
        yield harness
        assert_consistent(harness)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An image of 2.6 MB, of other pixels in each test."""
    path, side = tmp_path / "large.png", 930
    pixels = random.Random(str(tmp_path)).randbytes(3 * side * side)
    Image.frombytes("RGB", (side, side), pixels).save(path)
    assert 2 * PART_BYTES < path.stat().st_size < 3 * PART_BYTES
    return path


def _unfinished(s3: Any) -> dict[str, int]:
    return objects(s3, f"links/{stored_spool.UPLOADS}")


def _bytes_through_api(api: Harness) -> float:
    """Return how many bytes of files the API has received and sent so far."""
    sizes = [
        value
        for name, value in scrape(api).items()
        if ("request_size_bytes_sum" in name and 'method="P' in name and "upload" in name)
        or ("response_size_bytes_sum" in name and ("content" in name or "outputs" in name))
    ]
    return sum(sizes)


def _announce(user: Client, path: Path) -> Upload:
    return user.transfers.announce(library_request(path, MediaKind.IMAGE))


def test_a_large_file_goes_to_the_store_in_parts(s3: Any, api: Harness, large: Path) -> None:
    """Three links; the API receives no byte of it, and publishes what it has verified."""
    owner, user = api.user()
    before = _bytes_through_api(api)
    media = user.upload_media(large, MediaKind.IMAGE)
    assert _bytes_through_api(api) - before < 5000, "announcements only"
    assert objects(s3, "links")[f"{owner}/{media.sha256}"] == large.stat().st_size
    assert _unfinished(s3) == {}
    assert user.account().storage_used_bytes == large.stat().st_size


def test_an_upload_continues_where_parts_are_missing(s3: Any, api: Harness, large: Path) -> None:
    """The second part has arrived, and half of the first by the API."""
    _, user = api.user()
    upload = _announce(user, large)
    assert upload.links is not None
    assert [part.offset for part in upload.links] == [0, PART_BYTES, 2 * PART_BYTES]
    expiry = httpx.URL(upload.links[0].url).params["X-Amz-Expires"]
    assert expiry == "60"
    content, second = large.read_bytes(), upload.links[1]
    httpx.put(second.url, content=content[PART_BYTES : 2 * PART_BYTES]).raise_for_status()
    again = _announce(user, large)
    assert again.id == upload.id
    assert [part.offset for part in again.links or []] == [0, 2 * PART_BYTES]
    user.connection.request_once(
        "PATCH",
        f"/api/uploads/{upload.id}",
        content=content[: PART_BYTES // 2],
        headers={"Upload-Offset": "0"},
    )
    user.upload_media(large, MediaKind.IMAGE)
    assert _unfinished(s3) == {}


@pytest.mark.parametrize("wrong", ["other", "longer"])
def test_other_bytes_are_not_published(s3: Any, api: Harness, large: Path, wrong: str) -> None:
    """Whoever has a link can send anything: the API compares length and SHA-256."""
    owner, user = api.user()
    upload, content = _announce(user, large), large.read_bytes()
    for part in upload.links or []:
        end = part.offset + part.size_bytes
        sent = content[part.offset : end]
        if end == len(content):
            sent = b"?" * len(sent) if wrong == "other" else sent + b"?"
        httpx.put(part.url, content=sent).raise_for_status()
    with pytest.raises(PermanentError) as refused:
        user.connection.request_once("POST", f"/api/uploads/{upload.id}/complete")
    assert (refused.value.status, refused.value.code) == (422, "DigestMismatch")
    assert user.account().storage_used_bytes == 0
    assert not [key for key in objects(s3, "links") if key.startswith(owner)]
    assert not [key for key in _unfinished(s3) if key.startswith(upload.id)]


def test_a_link_that_is_used_too_late_leaves_nothing(s3: Any, api: Harness, large: Path) -> None:
    """The sweep deletes objects of uploads that have ended."""
    _, user = api.user()
    upload = _announce(user, large)
    user.upload_media(large, MediaKind.IMAGE)
    assert upload.links
    httpx.put(upload.links[0].url, content=b"late").raise_for_status()
    assert len(_unfinished(s3)) == 1
    sweep(api.ctx)
    assert _unfinished(s3) == {}


def test_the_api_takes_what_the_store_does_not(
    s3: Any, api: Harness, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first part arrives, then the object store is out of reach."""
    _, user = api.user()
    send, sent = user.connection.send_to_link, []

    def send_first(url: str, *rest: Any) -> None:
        sent.append(url)
        send(url if len(sent) == 1 else "http://127.0.0.1:9/", *rest)

    monkeypatch.setattr(user.connection, "send_to_link", send_first)
    before = _bytes_through_api(api)
    user.upload_media(large, MediaKind.IMAGE)
    received = _bytes_through_api(api) - before
    assert large.stat().st_size - PART_BYTES <= received < large.stat().st_size
    assert len(sent) == 3, "one more, by a new link"


def test_expired_links_are_asked_for_again(
    api: Harness, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow connection only the first link of each response is used in time."""
    _, user = api.user()
    send, last_offsets = user.connection.send_to_link, [-1]

    def send_if_first(url: str, path: Path, offset: int, size_bytes: int) -> None:
        if offset == last_offsets[-1] + PART_BYTES:
            last_offsets.append(-1)
            raise LinkFailed("LinkFailed", "status 403")
        last_offsets.append(offset)
        send(url, path, offset, size_bytes)

    monkeypatch.setattr(user.connection, "send_to_link", send_if_first)
    before = _bytes_through_api(api)
    user.upload_media(large, MediaKind.IMAGE)
    assert _bytes_through_api(api) - before < 5000
    assert last_offsets[1:] == [0, -1, PART_BYTES, -1, 2 * PART_BYTES]


def test_rights_and_quota_come_before_links(api: Harness, large: Path) -> None:
    """Without storage there is no upload, and a link of another owner's upload is hidden."""
    _, poor = api.user(storage_limit_bytes=1000)
    with pytest.raises(PermanentError) as refused:
        _announce(poor, large)
    assert refused.value.code == "StorageQuotaExceeded"
    _, user = api.user()
    _, other = api.user()
    upload = _announce(user, large)
    with pytest.raises(PermanentError) as refused:
        other.connection.request_once("GET", f"/api/uploads/{upload.id}")
    assert refused.value.status == 404
    user.connection.request_once("DELETE", f"/api/uploads/{upload.id}")


def test_links_for_jobs_require_links() -> None:
    """A job cannot have what the installation does not offer."""
    keys = {"admin_key": new_key("admin"), "operator_key": new_key("operator")}
    with pytest.raises(ValueError, match="CLIPMILL_JOB_LINKS"):
        Settings(state=Path("state"), job_links=True, **keys)


def test_a_compilation_whose_bytes_bypass_the_api(
    s3: Any, api: Harness, two_seconds: Path, tmp_path: Path
) -> None:
    """Jobs read the clip, and send segment and result, by links; only small files do not."""
    owner, user = api.user()
    before = _bytes_through_api(api)
    media = library_clip(user, two_seconds)
    size = {**SMALL, "width": 640, "height": 360}
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}], "outputs": [size]})
    key = api.operator.create_key(uid, Stage.ASSEMBLE, 1)
    assert main({"CLIPMILL_API_URL": api.url, "CLIPMILL_API_KEY": key}) == 0
    view = api.operator.view(uid)
    assert view.state is CompilationState.SUCCEEDED
    user.download_output(view.id, "main.mp4", tmp_path / "main.mp4")
    stored = sum(size for key, size in objects(s3, "links").items() if key.startswith(owner))
    assert tmp_path.joinpath("main.mp4").stat().st_size > 64 * 1024
    assert _bytes_through_api(api) - before < 64 * 1024 < stored
