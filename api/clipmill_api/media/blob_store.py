"""Blobs: immutable bytes named `<owner>/<sha256>`, in a folder, S3, GCS or Azure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

READ_BYTES = 1024 * 1024


class BlobStore:
    """Bytes by owner and content.

    Args:
        folder: Folder of the blobs, unless `url` is set.
        url: URL of an object store, such as `s3://bucket/prefix`.
    """

    def __init__(self, folder: Path, url: str | None) -> None:
        self._store: ObjectStore
        self._store = LocalStore(folder, mkdir=True) if url is None else from_url(url)

    def put(self, owner: str, sha256: str, content: bytes | Path) -> None:
        """Store bytes or a file. Storing the same again changes nothing."""
        obstore.put(self._store, f"{owner}/{sha256}", content)

    def size(self, owner: str, sha256: str) -> int:
        """Return the length of a blob in bytes. Raises FileNotFoundError."""
        return int(obstore.head(self._store, f"{owner}/{sha256}")["size"])

    def exists(self, owner: str, sha256: str) -> bool:
        """Return whether a blob exists."""
        try:
            obstore.head(self._store, f"{owner}/{sha256}")
        except FileNotFoundError:
            return False
        return True

    def read(self, owner: str, sha256: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes [start, end) of a blob in chunks."""
        for at in range(start, end, READ_BYTES):
            stop = min(at + READ_BYTES, end)
            yield bytes(obstore.get_range(self._store, f"{owner}/{sha256}", start=at, end=stop))

    def copy_to(self, owner: str, sha256: str, path: Path) -> None:
        """Write a blob to a local file. Raises FileNotFoundError."""
        with path.open("wb") as file:
            for chunk in obstore.get(self._store, f"{owner}/{sha256}").stream():
                file.write(chunk)

    def delete(self, owner: str, sha256: str) -> None:
        """Delete a blob, if it exists."""
        try:
            obstore.delete(self._store, f"{owner}/{sha256}")
        except FileNotFoundError:
            return
