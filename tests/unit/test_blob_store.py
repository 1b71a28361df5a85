"""The blob store in a folder and in an object store behaves the same."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clipmill_api.media.blob_store import BlobStore

SHA256 = "a" * 64


@pytest.fixture(params=["folder", "object store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """An empty store; the object store is in memory."""
    return BlobStore(tmp_path, None if request.param == "folder" else "memory:///")


def test_a_blob_is_stored_read_replaced_and_deleted(store: BlobStore, tmp_path: Path) -> None:
    """Storing it again repairs it; deleting it twice is no error."""
    source = tmp_path.parent / f"{tmp_path.name}-source"
    source.write_bytes(b"hello")
    store.put("ada", SHA256, b"hel")
    assert (store.exists("ada", SHA256), store.exists("ada", SHA256, 5)) == (True, False)
    store.put("ada", SHA256, source)
    assert store.size("ada", SHA256) == 5
    assert b"".join(store.read("ada", SHA256, 1, 4)) == b"ell"
    for _ in range(2):
        store.delete("ada", SHA256)
        assert not store.exists("ada", SHA256)


def test_a_store_is_claimed_once(store: BlobStore) -> None:
    """The second installation learns whose store it is."""
    assert store.installation() is None
    assert store.claim("one") == "one"
    assert store.claim("two") == "one"
    assert store.installation() == "one"


def test_only_bytes_of_users_make_a_store_used(store: BlobStore) -> None:
    """Its own file and the watermark are listed as what they are."""
    store.claim("one")
    store.put("_installation", SHA256, b"watermark")
    assert not store.has_blobs()
    store.put("ada", SHA256, b"bytes")
    assert store.has_blobs()
    assert {(item.owner, item.sha256, item.size_bytes) for item in store.objects()} == {
        ("_installation", SHA256, 9),
        ("ada", SHA256, 5),
    }


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Own a folder and act as a user without rights."""
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_that_may_not_be_read_is_ignored() -> None:
    """Such as lost+found of a volume, which belongs to root."""
    folder = Path(tempfile.mkdtemp())
    (folder / "lost+found").mkdir(mode=0o700)
    (folder / "lost+found/file").write_bytes(b"secret")
    try:
        with as_nobody(folder):
            store = BlobStore(folder, None)
            store.put("ada", SHA256, b"bytes")
            assert [item.owner for item in store.objects()] == ["ada"]
    finally:
        shutil.rmtree(folder)
