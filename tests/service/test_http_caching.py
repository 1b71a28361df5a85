"""What a browser may keep: content addresses for ever, names only after asking again."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from clipmill.protocol import Stage, UploadPurpose
from clipmill_client.client import Client
from harness import Harness, library_clip
from pods import announcement, assemble


def _get(client: Client, path: str, **headers: str) -> httpx.Response:
    return client.connection.request_once("GET", path, headers=headers)


def _render(
    api: Harness, owner: str, uid: str, media_id: str, path: Path, *, generation: int
) -> None:
    api.register(owner, {"clips": [{"mediaId": media_id}]}, uid=uid, generation=generation)
    assemble(api.job(uid, Stage.ASSEMBLE, generation), path)


def test_an_edit_replaces_what_a_name_delivers(
    api: Harness, two_seconds: Path, three_seconds: Path
) -> None:
    """A browser that asks with the ETag of generation 1 gets the bytes of generation 2."""
    owner, user = api.user()
    first_media, second_media = (
        library_clip(user, path).id for path in (two_seconds, three_seconds)
    )
    uid, plan = api.register(owner, {"clips": [{"mediaId": first_media}]})
    assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    path = f"/api/compilations/{plan.compilation_id}/outputs/main.mp4"
    first = _get(user, path)
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        unchanged = _get(user, path, **{"If-None-Match": known})
        assert (unchanged.status_code, unchanged.content) == (304, b""), known
    _render(api, owner, uid, second_media, three_seconds, generation=2)
    second = _get(user, path, **{"If-None-Match": etag})
    assert (second.status_code, second.content) == (200, three_seconds.read_bytes())
    assert second.headers["etag"] != etag


@pytest.mark.parametrize("kind", ["media", "segment", "watermark"])
def test_only_a_content_address_is_immutable(api: Harness, two_seconds: Path, kind: str) -> None:
    """A media id and the key of a segment are names; the watermark's path holds its SHA-256."""
    owner, user = api.user(apply_watermark=True)
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})
    if kind == "media":
        assert (
            "immutable" not in _get(user, f"/api/media/{media.id}/content").headers["cache-control"]
        )
        return
    job = api.job(uid, Stage.ASSEMBLE)
    assignment = job.claim(0, "pod")
    assert assignment.assemble is not None
    segments = assignment.assemble[0].segments
    if kind == "watermark":
        assert segments[0].watermark is not None
        assert segments[0].watermark.image is not None
        sha256 = segments[0].watermark.image.sha256
        reply = _get(job, f"/api/worker/watermark/{sha256}")
        assert "immutable" in reply.headers["cache-control"]
        return
    request = announcement(
        two_seconds,
        UploadPurpose.SEGMENT,
        segment_key=segments[0].key,
        epoch=assignment.epoch,
    )
    job.upload(two_seconds, request)
    reply = _get(job, f"/api/segments/{segments[0].key}/content")
    assert reply.headers["cache-control"] == "private, no-cache"
