"""Uploads and downloads of the SDK over connections that are lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from clipmill.protocol import Assignment, MediaKind, Stage, UploadPurpose, UploadRequest
from clipmill_client import PermanentError, RetryableError, transfer
from faulty_network import cutting, scripted
from harness import Harness
from pods import announcement, url
from sdk_clients import client, new_client, reply


def noise(path: Path, size: int) -> Path:
    """Write a file of random bytes."""
    path.write_bytes(random.Random(str(path)).randbytes(size))
    return path


def segment_announcement(assignment: Assignment, path: Path) -> UploadRequest:
    """Announce a file as the first segment of an assembly."""
    key = (assignment.assemble or [])[0].segments[0].key
    return announcement(path, UploadPurpose.SEGMENT, segment_key=key, epoch=assignment.epoch)


def test_an_interrupted_upload_is_resumed(
    api: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three lost connections within a chunk the SHA-256 is right."""
    monkeypatch.setattr(transfer, "CHUNK_BYTES", 1_000_000)
    owner, _ = api.user()
    path = noise(tmp_path / "big.mp4", 4_000_000)
    request = announcement(path, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    key = api.admin.create_key(owner)
    with cutting(api.url, up=[700_000, 1_200_000, 400_000], down=[]) as proxy:
        sender = new_client(proxy.url, key, attempts=50)
        with pytest.raises(PermanentError) as refused:
            sender.upload(path, request)
    assert refused.value.status == 422
    assert refused.value.code != "DigestMismatch"


@pytest.mark.parametrize("cut", [[], [9_000], [9_000, 4_000]], ids=["whole", "once", "twice"])
def test_a_small_file_is_uploaded_by_one_request(
    api: Harness, two_seconds: Path, tmp_path: Path, cut: list[int]
) -> None:
    """After a lost connection only the rest is sent."""
    owner, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    uid, _ = api.register(owner, {"clips": [{"mediaId": media_id}]})
    key = api.operator.create_key(uid, Stage.ASSEMBLE, 1)
    with api.client(key) as direct:
        assignment = direct.claim(0, "a")
    request = segment_announcement(assignment, two_seconds)
    with cutting(api.url, up=cut, down=[]) as proxy:
        job = new_client(proxy.url, assignment.key, attempts=9)
        upload = job.upload(two_seconds, request)
        assert (upload.complete, upload.offset) == (True, two_seconds.stat().st_size)
        job.download_segment(str(upload.segment_key), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == two_seconds.read_bytes()


def test_the_limit_of_bodies_does_not_hold_for_uploads(api: Harness, tmp_path: Path) -> None:
    """5 MB in one request are read to their end before the file is refused."""
    owner, _ = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    job = api.job(uid, Stage.FETCH)
    assignment, path = job.claim(0, "a"), noise(tmp_path / "noise.mp4", 5_000_000)
    assert assignment.fetch is not None
    clip = {"clip_id": assignment.fetch.clip_id, "epoch": assignment.epoch}
    with pytest.raises(PermanentError) as refused:
        job.upload(path, announcement(path, UploadPurpose.CLIP, **clip))
    assert (refused.value.status, refused.value.code) == (422, "NotMedia")


def test_one_request_continues_an_upload(api: Harness, two_seconds: Path) -> None:
    """Of a file that was sent in part, only the rest is written."""
    owner, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    uid, _ = api.register(owner, {"clips": [{"mediaId": media_id}]})
    job = api.job(uid, Stage.ASSEMBLE)
    request = segment_announcement(job.claim(0, "a"), two_seconds)
    upload_id = job.connection.request("POST", "/api/uploads", body=request).json()["id"]
    headers, start = {"Upload-Offset": "0"}, two_seconds.read_bytes()[:5000]
    job.connection.request_once(
        "PATCH", f"/api/uploads/{upload_id}", content=start, headers=headers
    )
    upload = job.upload(two_seconds, request)
    assert (upload.id, upload.complete) == (upload_id, True)


def test_an_interrupted_download_is_resumed(
    api: Harness, two_seconds: Path, tmp_path: Path
) -> None:
    """After two lost connections within the body the SHA-256 is right."""
    owner, user = api.user()
    media = user.upload_media(two_seconds, MediaKind.CLIP)
    size = two_seconds.stat().st_size
    with cutting(api.url, up=[], down=[size // 3, size // 3]) as proxy:
        reader = new_client(proxy.url, api.admin.create_key(owner))
        reader.download_media(media.id, tmp_path / "back.mp4")
    assert (tmp_path / "back.mp4").read_bytes() == two_seconds.read_bytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "back.mp4"]


def test_a_resumed_download_requests_the_rest(tmp_path: Path) -> None:
    """The second request starts at the byte after the first response's last."""
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


def test_a_stale_partial_file_is_replaced(api: Harness, two_seconds: Path, tmp_path: Path) -> None:
    """A partial file of other content or greater length does not spoil the download."""
    owner, user = api.user()
    media = user.upload_media(two_seconds, MediaKind.CLIP)
    for size in (1000, two_seconds.stat().st_size, two_seconds.stat().st_size + 9):
        (tmp_path / "a.mp4.part").write_bytes(b"?" * size)
        reader = new_client(api.url, api.admin.create_key(owner))
        reader.download_media(media.id, tmp_path / "a.mp4")
        assert (tmp_path / "a.mp4").read_bytes() == two_seconds.read_bytes()
