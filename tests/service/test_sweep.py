"""What the hourly sweep deletes, and what it must keep."""

from __future__ import annotations

from pathlib import Path

from clipmill.protocol import MediaKind, Stage, UploadPurpose, UploadRequest
from clipmill_api.accounts.watermark import DEFAULT_IMAGE
from clipmill_api.media.blob_store import INSTALLATION
from clipmill_api.media.retention import sweep
from clipmill_client.transfer import sha256_of
from harness import Harness, library_clip

DAY_S = 86_400


def _segment(api: Harness, two_seconds: Path) -> str:
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
        size_bytes=two_seconds.stat().st_size,
        sha256=sha256_of(two_seconds),
        segment_key=assignment.render[0].key,
        epoch=assignment.epoch,
    )
    job.upload(two_seconds, request)
    return owner


def _segment_count(api: Harness, owner: str) -> int:
    return len(api.rows("SELECT key FROM segments WHERE owner = :o", o=owner))


def test_unused_segments_are_deleted_after_thirty_days(api: Harness, two_seconds: Path) -> None:
    """Counted from the last use; the library's bytes stay."""
    owner = _segment(api, two_seconds)
    api.clock.advance(29 * DAY_S)
    sweep(api.ctx)
    assert _segment_count(api, owner) == 1
    api.clock.advance(2 * DAY_S)
    sweep(api.ctx)
    assert _segment_count(api, owner) == 0
    assert api.ctx.store.exists(owner, sha256_of(two_seconds))


def test_an_expired_upload_releases_its_storage(api: Harness, two_seconds: Path) -> None:
    """A day after the announcement the reserved bytes are free again."""
    _, user = api.user(storage_limit_bytes=10**9)
    request = UploadRequest(
        purpose=UploadPurpose.LIBRARY,
        kind=MediaKind.CLIP,
        filename="never.mp4",
        size_bytes=1000,
        sha256="0" * 64,
    )
    user.connection.request("POST", "/api/uploads", body=request)
    assert user.account().storage_used_bytes == 1000
    api.clock.advance(DAY_S + 60)
    sweep(api.ctx)
    assert user.account().storage_used_bytes == 0


def test_a_watermark_is_kept(api: Harness, two_seconds: Path) -> None:
    """It has no row, but assignments of unfinished compilations name it."""
    owner, user = api.user(apply_watermark=True)
    media = library_clip(user, two_seconds)
    api.register(owner, {"clips": [{"mediaId": media.id}]})
    sha256 = sha256_of(DEFAULT_IMAGE)
    api.clock.advance(2 * DAY_S)
    sweep(api.ctx)
    api.clock.advance(-2 * DAY_S)
    assert api.ctx.store.exists(INSTALLATION, sha256)
