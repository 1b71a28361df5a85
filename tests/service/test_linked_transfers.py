"""A job beside the API links files of its store, and its own into it; the API still decides."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from clipmill.protocol import MediaKind
from clipmill_client import Client, PermanentError, transfer
from clipmill_client.local_transfers import LinkedTransfers
from clipmill_client.transfer import library_request, sha256_of
from harness import Harness


def _linking(api: Harness, user: Client, state: Path | None = None) -> Client:
    user.transfers = LinkedTransfers(user.connection, state or api.settings.state)
    return user


def test_a_file_of_the_store_is_linked(api: Harness, two_seconds: Path, tmp_path: Path) -> None:
    """The file is a blob itself, and a second link replaces the first."""
    _, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    blobs = list((api.settings.state / "blobs").glob(f"*/{sha256_of(two_seconds)}"))
    for _ in range(2):
        _linking(api, user).download_media(media_id, tmp_path / "linked.mp4")
        assert any(os.path.samefile(tmp_path / "linked.mp4", blob) for blob in blobs)


def test_without_the_folder_it_is_downloaded(
    api: Harness, two_seconds: Path, tmp_path: Path
) -> None:
    """With a blob store elsewhere the bytes come from the API."""
    _, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    _linking(api, user, tmp_path / "none").download_media(media_id, tmp_path / "copy.mp4")
    assert sha256_of(tmp_path / "copy.mp4") == sha256_of(two_seconds)
    assert (tmp_path / "copy.mp4").stat().st_nlink == 1


def test_a_damaged_blob_is_not_linked(api: Harness, two_seconds: Path, tmp_path: Path) -> None:
    """A blob of another length than its row is refused by the API, and nothing is written."""
    owner, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    blob = api.settings.state / "blobs" / owner / sha256_of(two_seconds)
    os.truncate(blob, 100)
    with pytest.raises(PermanentError):
        _linking(api, user).download_media(media_id, tmp_path / "damaged.mp4")
    assert not (tmp_path / "damaged.mp4").exists()


def test_a_file_of_another_owner_is_refused(
    api: Harness, two_seconds: Path, tmp_path: Path
) -> None:
    """The folder holds the blob, but the key does not allow it."""
    _, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    _, other = api.user()
    with pytest.raises(PermanentError) as refused:
        _linking(api, other).download_media(media_id, tmp_path / "other.mp4")
    assert refused.value.status == 404
    assert not (tmp_path / "other.mp4").exists()


def test_an_uploaded_file_becomes_the_blob(api: Harness, two_seconds: Path, tmp_path: Path) -> None:
    """The API inspects it, and links it from its spool; no bytes are copied."""
    owner, user = api.user()
    path = tmp_path / "rendered.mp4"
    shutil.copy(two_seconds, path)
    media = _linking(api, user).upload_media(path, MediaKind.CLIP)
    assert media.facts is not None
    assert media.facts.frames > 0
    assert os.path.samefile(path, api.settings.state / "blobs" / owner / media.sha256)
    assert not list((api.settings.state / "spool").iterdir())


@pytest.mark.parametrize("fault", ["another hash", "another length", "no media"])
def test_a_linked_file_that_is_not_as_announced_is_refused(
    fault: str, api: Harness, two_seconds: Path, tmp_path: Path
) -> None:
    """As if its bytes had been sent; the file itself stays as it is."""
    owner, user = api.user()
    path = tmp_path / "rendered.mp4"
    path.write_bytes(b"no media" * 99 if fault == "no media" else two_seconds.read_bytes())
    request = library_request(path, MediaKind.CLIP)
    if fault != "no media":
        path.write_bytes(path.read_bytes()[:-1] + (b"xy" if fault == "another length" else b"x"))
    content = path.read_bytes()
    with pytest.raises(PermanentError) as refused:
        _linking(api, user).upload(path, request)
    assert refused.value.code == ("NotMedia" if fault == "no media" else "DigestMismatch")
    assert path.read_bytes() == content
    assert not list((api.settings.state / "spool").iterdir())
    assert not list((api.settings.state / "blobs" / owner).glob("*"))


def test_bytes_are_sent_where_no_link_can_be(
    api: Harness, two_seconds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As to another file system: each chunk once, however many there are."""
    owner, user = api.user()
    path = tmp_path / "rendered.mp4"
    shutil.copy(two_seconds, path)
    monkeypatch.setattr(transfer, "CHUNK_BYTES", path.stat().st_size // 3)
    media = _linking(api, user, tmp_path / "none").upload_media(path, MediaKind.CLIP)
    assert not os.path.samefile(path, api.settings.state / "blobs" / owner / media.sha256)
    assert sha256_of(api.settings.state / "blobs" / owner / media.sha256) == media.sha256
