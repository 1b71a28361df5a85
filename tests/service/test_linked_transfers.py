"""A job beside the API links files of its store; the API still decides which ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clipmill.protocol import MediaKind
from clipmill_client import Client, PermanentError
from clipmill_client.transfer import sha256_of
from clipmill_job.linked_transfers import LinkedTransfers
from harness import Harness


def _linking(api: Harness, user: Client, blobs: Path | None = None) -> Client:
    user.transfers = LinkedTransfers(user.connection, blobs or api.settings.state / "blobs")
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
