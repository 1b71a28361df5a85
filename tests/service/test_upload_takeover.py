"""A later claim of a task continues the upload that an earlier one left unfinished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import MediaKind, Stage, UploadPurpose, UploadRequest
from clipmill_client import Client, PermanentError
from harness import Harness, library_clip
from pods import announcement, url

FIRST_BYTES = 1000


def _task(api: Harness, purpose: UploadPurpose, clip: Path) -> tuple[str, str, Stage]:
    """Register a compilation; return its owner, its uid and the stage that uploads this."""
    owner, user = api.user()
    if purpose is UploadPurpose.CLIP:
        uid, _ = api.register(owner, {"clips": [{"url": url()}]})
        return owner, uid, Stage.FETCH
    uid, _ = api.register(owner, {"clips": [{"mediaId": library_clip(user, clip).id}]})
    return owner, uid, Stage.RENDER if purpose is UploadPurpose.SEGMENT else Stage.ASSEMBLE


def _claimed(job: Client, holder: str, purpose: UploadPurpose, path: Path) -> UploadRequest:
    """Claim task 0; return the announcement of this file as its upload."""
    assignment = job.claim(0, holder)
    more: dict[str, Any] = {"epoch": assignment.epoch}
    if assignment.fetch:
        more |= {"clip_id": assignment.fetch.clip_id, "kind": MediaKind.CLIP}
    elif assignment.render:
        more |= {"segment_key": assignment.render[0].key}
    else:
        more |= {"output": "main", "kind": MediaKind.COMPILATION}
    return announcement(path, purpose, **more)


def _announce(job: Client, request: UploadRequest) -> dict[str, Any]:
    upload: dict[str, Any] = job.connection.request("POST", "/api/uploads", body=request).json()
    return upload


def _append(job: Client, upload: dict[str, Any], data: bytes) -> dict[str, Any]:
    headers = {"Upload-Offset": str(upload["offset"])}
    path = f"/api/uploads/{upload['id']}"
    reply: dict[str, Any] = job.connection.request_once(
        "PATCH", path, content=data, headers=headers
    ).json()
    return reply


@pytest.mark.parametrize(
    "purpose", [UploadPurpose.CLIP, UploadPurpose.SEGMENT, UploadPurpose.OUTPUT]
)
def test_a_later_claim_continues_an_upload(
    api: Harness, two_seconds: Path, three_seconds: Path, purpose: UploadPurpose
) -> None:
    """With its bytes; what the earlier claim still sends is refused and changes nothing."""
    owner, uid, stage = _task(api, purpose, two_seconds)
    data = three_seconds.read_bytes()
    job = api.job(uid, stage)
    first = _announce(job, _claimed(job, "pod-1", purpose, three_seconds))
    _append(job, first, data[:FIRST_BYTES])
    api.clock.advance(api.settings.lease_s + 1)
    second = _announce(job, _claimed(job, "pod-2", purpose, three_seconds))
    assert second["offset"] == FIRST_BYTES
    assert second["id"] != first["id"]
    with pytest.raises(PermanentError) as refused:
        _append(job, {**first, "offset": FIRST_BYTES}, b"stale")
    assert refused.value.status in (404, 409)
    with pytest.raises(PermanentError) as refused:
        job.connection.request_once("POST", f"/api/uploads/{first['id']}/complete")
    assert refused.value.status in (404, 409)
    assert _append(job, second, data[FIRST_BYTES:])["offset"] == len(data)
    done = job.connection.request_once("POST", f"/api/uploads/{second['id']}/complete").json()
    assert done["complete"]
    rows = api.rows(
        "SELECT id, complete FROM uploads WHERE compilation_id IS NOT NULL AND owner = :o", o=owner
    )
    assert [(row["id"], bool(row["complete"])) for row in rows] == [(second["id"], True)]
    assert not [id_ for id_ in (first["id"], second["id"]) if api.ctx.spool.path(id_).exists()]


def test_the_same_claim_continues_its_own_upload(api: Harness, two_seconds: Path) -> None:
    """A repeated announcement of one claim returns the same id."""
    _, uid, stage = _task(api, UploadPurpose.CLIP, two_seconds)
    job = api.job(uid, stage)
    request = _claimed(job, "pod-1", UploadPurpose.CLIP, two_seconds)
    assert _announce(job, request)["id"] == _announce(job, request)["id"]
