"""Rows whose bytes are lost: no answer pretends that they are there, and sending them heals."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from clipmill.protocol import MediaKind, Stage, UploadPurpose
from clipmill_api.media.blob_deletion import delete_due_blobs
from clipmill_api.media.blob_store import BlobStore
from clipmill_client import Client, PermanentError
from clipmill_client.errors import ClientError, RetryableError
from clipmill_client.transfer import sha256_of
from harness import Harness, library_clip, running
from pods import announcement

Damage = Callable[[Path], object]
DAMAGES: dict[str, Damage] = {
    "missing": lambda path: path.unlink(),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:100]),
}


def blob(api: Harness, owner: str, sha256: str) -> Path:
    """Return the file of a blob."""
    return api.settings.state / "blobs" / owner / sha256


@pytest.fixture(params=DAMAGES)
def damage(request: pytest.FixtureRequest) -> Damage:
    """What happens to the file of a blob."""
    return DAMAGES[str(request.param)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_download_of_lost_bytes_is_a_problem(
    api: Harness, two_seconds: Path, damage: Damage, method: str
) -> None:
    """Before the first byte, and also for a range; never 200 and a broken body."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    damage(blob(api, owner, media.sha256))
    for headers in ({}, {"Range": "bytes=0-9"}):
        path = f"/api/media/{media.id}/content"
        with pytest.raises(PermanentError) as lost:
            user.connection.request_once(method, path, headers=headers)
        assert lost.value.status == 410
        assert method == "HEAD" or lost.value.code == "BytesMissing"


def test_lost_bytes_are_healed_by_sending_them_again(
    api: Harness, two_seconds: Path, damage: Damage, tmp_path: Path
) -> None:
    """The announcement is not complete, and the media file stays the same row."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    damage(blob(api, owner, media.sha256))
    request = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    upload = user.connection.request("POST", "/api/uploads", body=request).json()
    assert (upload["complete"], upload["offset"]) == (False, 0)
    assert library_clip(user, two_seconds).id == media.id
    user.download_media(media.id, tmp_path / "again.mp4")
    assert user.account().storage_used_bytes == media.size_bytes
    again = user.connection.request("POST", "/api/uploads", body=request).json()
    assert again["complete"] is True


def test_a_lost_segment_is_rendered_again(
    api: Harness, two_seconds: Path, three_seconds: Path
) -> None:
    """Its download fails as retryable, and the next claim of the task renders it."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})
    job = api.job(uid, Stage.RENDER)
    assignment = job.claim(0, "pod")
    assert assignment.render is not None
    key = assignment.render[0].key
    rest = {"segment_key": key, "epoch": assignment.epoch}
    job.upload(three_seconds, announcement(three_seconds, UploadPurpose.SEGMENT, **rest))
    assert key not in {s.key for s in job.claim(0, "pod").render or ()}
    blob(api, owner, sha256_of(three_seconds)).unlink()
    reader = api.job(uid, Stage.ASSEMBLE)
    reader.claim(0, "pod")
    for _ in range(2):
        with pytest.raises(RetryableError) as gone:
            reader.connection.request_once("GET", f"/api/segments/{key}/content")
        assert gone.value.code == "SegmentGone"
    assert api.rows("SELECT key FROM segments WHERE owner = :o", o=owner) == []


def test_deletions_and_uploads_of_the_same_bytes_end_with_bytes(
    empty_database_url: str, tmp_path: Path, two_seconds: Path
) -> None:
    """Without a grace period, every media file that exists at the end can be read."""
    more = {"allow_any_host": True, "blob_grace_days": 0}
    with running(tmp_path / "state", empty_database_url, **more) as api:
        owner, first = api.user()
        clients = [api.client(api.admin.create_key(owner)) for _ in range(3)]

        def upload_and_delete(client: Client) -> None:
            for _ in range(5):
                with suppress(ClientError):  # another thread was faster
                    client.delete_media(library_clip(client, two_seconds).id)

        def sweep() -> None:
            for _ in range(60):
                delete_due_blobs(api.ctx)

        with ThreadPoolExecutor(4) as pool:
            runs = [pool.submit(upload_and_delete, client) for client in clients]
            for run in (*runs, pool.submit(sweep)):
                run.result()
        media = library_clip(first, two_seconds)
        delete_due_blobs(api.ctx)
        first.download_media(media.id, tmp_path / "again.mp4")
        assert api.rows("SELECT id FROM media") == [{"id": media.id}]


def test_bytes_deleted_before_their_row_is_written_are_stored_again(
    api: Harness, two_seconds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the hourly run deletes an earlier tombstone between the two."""
    _, user = api.user()
    put, calls = BlobStore.put, []

    def put_and_lose(store: BlobStore, owner: str, sha256: str, content: bytes | Path) -> None:
        put(store, owner, sha256, content)
        calls.append(sha256)
        if len(calls) == 1:
            store.delete(owner, sha256)

    monkeypatch.setattr(BlobStore, "put", put_and_lose)
    media = library_clip(user, two_seconds)
    assert calls == [media.sha256] * 2
    user.download_media(media.id, tmp_path / "again.mp4")
