"""Bytes are deleted because a removed row named them, after a grace period, and few at a time."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from clipmill.protocol import MediaKind, Stage, UploadPurpose, UploadRequest
from clipmill_api.media import blob_deletion
from clipmill_api.media.blob_deletion import deletion_limit
from clipmill_api.media.retention import sweep
from clipmill_client.transfer import sha256_of
from harness import Harness, library_clip, running

DAY_S = 86_400


def sweep_after(api: Harness, days: float) -> None:
    """Sweep as if so many days had passed."""
    api.clock.advance(days * DAY_S)
    try:
        sweep(api.ctx)
    finally:
        api.clock.advance(-days * DAY_S)


def blobs(api: Harness, owner: str) -> set[str]:
    """Return the blobs of an owner."""
    return {path.name for path in (api.settings.state / "blobs" / owner).glob("*")}


def tombstones(api: Harness, owner: str) -> dict[str, str]:
    """Return the reasons of an owner's tombstones by content."""
    sql = "SELECT sha256, reason FROM tombstones WHERE owner = :o AND deleted_at IS NULL"
    return {row["sha256"]: row["reason"] for row in api.rows(sql, o=owner)}


def test_a_database_that_does_not_know_the_store_deletes_nothing(
    tmp_path: Path, two_seconds: Path
) -> None:
    """Blobs without any row survive a start and every sweep."""
    with running(tmp_path) as api:
        owner, user = api.user()
        library_clip(user, two_seconds)
        unknown = api.settings.state / "blobs" / owner / ("a" * 64)
        unknown.write_bytes(b"of another database")
    with running(tmp_path) as api:
        sweep_after(api, 400)
        assert blobs(api, owner) == {sha256_of(two_seconds), "a" * 64}


def test_deleted_media_are_kept_for_the_grace_period(
    api: Harness, two_seconds: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The bytes stay for seven days; their deletion is logged with its reason."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    user.delete_media(media.id)
    assert tombstones(api, owner) == {media.sha256: "media-deleted"}
    sweep_after(api, 6.9)
    assert blobs(api, owner) == {media.sha256}
    with caplog.at_level(logging.INFO, blob_deletion.__name__):
        sweep_after(api, 7.1)
    assert blobs(api, owner) == set()
    line = f"owner={owner} sha256={media.sha256} reason=media-deleted"
    assert [m for m in caplog.messages if line in m]
    deleted = "SELECT deleted_at FROM tombstones WHERE owner = :o"
    assert api.rows(deleted, o=owner)[0]["deleted_at"] is not None


def test_an_upload_of_the_same_bytes_keeps_them(api: Harness, two_seconds: Path) -> None:
    """A row that names the blob again ends its tombstone."""
    owner, user = api.user()
    user.delete_media(library_clip(user, two_seconds).id)
    media = library_clip(user, two_seconds)
    sweep_after(api, 8)
    assert blobs(api, owner) == {media.sha256}
    assert tombstones(api, owner) == {}


def test_bytes_of_two_rows_stay_until_the_last_is_deleted(api: Harness, two_seconds: Path) -> None:
    """The grace period begins with the last removal."""
    owner, user = api.user()
    clip = user.upload_media(two_seconds, MediaKind.CLIP)
    intro = user.upload_media(two_seconds, MediaKind.INTRO)
    user.delete_media(clip.id)
    sweep_after(api, 8)
    assert blobs(api, owner) == {clip.sha256}
    user.delete_media(intro.id)
    sweep_after(api, 8)
    assert blobs(api, owner) == set()


def _segment(api: Harness, two_seconds: Path, three_seconds: Path) -> str:
    """Upload a segment of a new owner by a render task; return the owner."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})
    job = api.job(uid, Stage.RENDER)
    assignment = job.claim(0, "pod")
    assert assignment.render is not None
    request = UploadRequest(
        purpose=UploadPurpose.SEGMENT,
        filename="segment.mov",
        size_bytes=three_seconds.stat().st_size,
        sha256=sha256_of(three_seconds),
        segment_key=assignment.render[0].key,
        epoch=assignment.epoch,
    )
    job.upload(three_seconds, request)
    return owner


def test_bytes_of_unused_segments_are_deleted(
    api: Harness, two_seconds: Path, three_seconds: Path
) -> None:
    """The row goes thirty days after the last use, the bytes seven days later."""
    owner = _segment(api, two_seconds, three_seconds)
    sweep_after(api, 31)
    assert tombstones(api, owner) == {sha256_of(three_seconds): "segment-unused"}
    sweep_after(api, 31 + 6.9)
    assert sha256_of(three_seconds) in blobs(api, owner)
    sweep_after(api, 31 + 7.1)
    assert blobs(api, owner) == {sha256_of(two_seconds)}


def test_a_run_deletes_a_share_only(
    api: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What exceeds the limit waits for the next run, and an error says so."""
    monkeypatch.setattr(blob_deletion, "deletion_limit", lambda blobs: 2)
    owner, user = api.user()
    sweep_after(api, 8)
    for i in range(3):
        path = tmp_path / f"{i}.txt"
        path.write_bytes(_png(i))
        user.delete_media(user.upload_media(path, MediaKind.IMAGE).id)
    counts = []
    for _ in range(2):
        sweep_after(api, 8)
        counts.append(len(blobs(api, owner)))
    assert counts == [1, 0]
    assert [r.levelname for r in caplog.records if "limit=2" in r.message] == ["ERROR"]


def _png(shade: int) -> bytes:
    import io  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    file = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(("blobs", "limit"), [(0, 100), (2000, 100), (10_000, 500)])
def test_the_limit_of_a_run(blobs: int, limit: int) -> None:
    """Five percent, and a hundred in a small store."""
    assert deletion_limit(blobs) == limit
