"""Cancelling an upload: bytes, row and reservation go; a complete one stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipmill.protocol import MediaKind, UploadPurpose
from clipmill_client import PermanentError
from harness import Harness, library_clip
from pods import announcement


def test_an_unfinished_upload_can_be_cancelled(api: Harness, two_seconds: Path) -> None:
    """By its owner only, once."""
    _, user = api.user()
    _, other = api.user()
    request = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    upload = user.connection.request("POST", "/api/uploads", body=request).json()
    api.ctx.spool.path(upload["id"]).write_bytes(b"bytes")
    with pytest.raises(PermanentError) as refused:
        other.cancel_upload(upload["id"])
    assert refused.value.code == "NotFound"
    user.cancel_upload(upload["id"])
    assert upload["id"] not in api.ctx.spool.ids()
    assert api.rows("SELECT id FROM uploads WHERE id = :id", id=upload["id"]) == []
    assert user.account().storage_used_bytes == 0
    with pytest.raises(PermanentError) as refused:
        user.cancel_upload(upload["id"])
    assert refused.value.code == "NotFound"


def test_a_complete_upload_cannot_be_cancelled(api: Harness, two_seconds: Path) -> None:
    """Its media can be deleted instead."""
    _, user = api.user()
    media = library_clip(user, two_seconds)
    row = api.rows("SELECT id FROM uploads WHERE media_id = :m", m=media.id)[0]
    with pytest.raises(PermanentError) as refused:
        user.cancel_upload(row["id"])
    assert (refused.value.status, refused.value.code) == (409, "Complete")
    assert user.media(media.id).id == media.id
