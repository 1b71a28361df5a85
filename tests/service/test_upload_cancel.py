"""Cancelling an upload: bytes, row and reservation go; a complete one stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from clipmill.protocol import MediaKind, UploadPurpose
from clipmill_cli.commands.command_tree import app
from clipmill_client import PermanentError, RetryableError
from harness import Harness, library_clip, running
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


def test_the_command_line_cancels_the_upload_of_a_file(
    api: Harness, two_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row, bytes and storage go; a complete one stays."""
    owner, user = api.user()
    monkeypatch.setenv("CLIPMILL_API_URL", api.url)
    monkeypatch.setenv("CLIPMILL_API_KEY", api.admin.create_key(owner))
    request = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.INTRO)
    upload = user.announce_upload(request)
    api.ctx.spool.path(upload.id).write_bytes(b"bytes")
    command = ["media", "cancel-upload", str(two_seconds), "--kind", "intro"]
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.output) == (0, f"{two_seconds.name}: cancelled\n")
    assert upload.id not in api.ctx.spool.ids()
    assert api.rows("SELECT id FROM uploads WHERE owner = :o", o=owner) == []
    assert user.account().storage_used_bytes == 0
    media = user.upload_media(two_seconds, MediaKind.INTRO)
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.output) == (0, f"{two_seconds.name}: complete as {media.id}\n")
    assert user.media(media.id).id == media.id


def test_an_upload_without_space_is_refused_when_announced(
    tmp_path: Path, two_seconds: Path
) -> None:
    """No row and no reservation remain. Bytes that the owner has need no space."""
    state, database = tmp_path / "state", f"sqlite:///{tmp_path / 'c.db'}"
    with running(state, database) as api:
        owner, user = api.user()
        media = library_clip(user, two_seconds)
    with running(state, database, disk_floor_bytes=2**60) as api:
        user = api.client(api.admin.create_key(owner))
        used = user.account().storage_used_bytes
        other = tmp_path / "other.mp4"
        other.write_bytes(b"other bytes")
        request = announcement(other, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
        with pytest.raises(RetryableError) as refused:
            user.announce_upload(request)
        assert (refused.value.status, refused.value.code) == (507, "DiskFull")
        assert api.rows("SELECT id FROM uploads WHERE NOT complete") == []
        assert user.account().storage_used_bytes == used
        assert library_clip(user, two_seconds).id == media.id
