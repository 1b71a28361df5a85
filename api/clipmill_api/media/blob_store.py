"""Blobs: immutable bytes named `<owner>/<sha256>`, in a folder, S3, GCS or Azure.

The store also holds `.clipmill/installation.json`: the id of the installation it belongs to.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store, from_url

from clipmill_api.media.durable_file import write_durably

READ_BYTES = 1024 * 1024
PAGE_SIZE = 500
BLOB_PATH = re.compile(r"([^/]+)/([0-9a-f]{64})")
OWN_FOLDER = ".clipmill"
INSTALLATION_PATH = f"{OWN_FOLDER}/installation.json"
# Owner of the watermarks, which no user can have as a name.
INSTALLATION = "_installation"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of the store: a blob, or something else if it has no owner."""

    path: str
    size_bytes: int
    owner: str = ""
    sha256: str = ""


class BlobStore:
    """Bytes by owner and content.

    Args:
        folder: Folder of the blobs, unless `url` is set.
        url: URL of an object store, such as `s3://bucket/prefix`.
    """

    def __init__(self, folder: Path, url: str | None) -> None:
        self._folder = folder if url is None else None
        self._store: ObjectStore
        self._store = LocalStore(folder, mkdir=True) if url is None else from_url(url)
        self.name = url or str(folder)
        if url is None:
            self._temporaries.mkdir(parents=True, exist_ok=True)

    @property
    def object_store(self) -> ObjectStore:
        """The store below all paths."""
        return self._store

    @property
    def _temporaries(self) -> Path:
        assert self._folder is not None
        return self._folder / OWN_FOLDER / "new"

    def put(self, owner: str, sha256: str, content: bytes | Path) -> None:
        """Store bytes, or a file that nobody writes to any more, durably.

        Storing the same again repairs what is there.
        """
        if self._folder is None:
            obstore.put(self._store, f"{owner}/{sha256}", content)
            return
        temporary = self._temporaries / secrets.token_hex(16)
        write_durably(self._folder / owner / sha256, content, temporary=temporary)

    def size(self, owner: str, sha256: str) -> int:
        """Return the length of a blob in bytes. Raises FileNotFoundError."""
        return int(obstore.head(self._store, f"{owner}/{sha256}")["size"])

    def exists(self, owner: str, sha256: str, size_bytes: int | None = None) -> bool:
        """Return whether a blob exists, and has this length unless it is None."""
        try:
            size = self.size(owner, sha256)
        except FileNotFoundError:
            return False
        return size_bytes in (None, size)

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

    def link(self, owner: str, sha256: str, *, expires_s: int) -> str | None:
        """Return a signed URL from which anybody can read a blob, for so many seconds.

        None for a store that cannot sign: a folder.
        """
        if not isinstance(self._store, S3Store | GCSStore | AzureStore):
            return None
        seconds = timedelta(seconds=expires_s)
        return obstore.sign(self._store, "GET", f"{owner}/{sha256}", seconds)

    def upload_link(self, path: str, *, expires_s: int) -> str | None:
        """Return a signed URL to which anybody can write an object, for so many seconds.

        None for a store that cannot sign, or wants more headers: a folder, or Azure.
        """
        if not isinstance(self._store, S3Store | GCSStore):
            return None
        return obstore.sign(self._store, "PUT", path, timedelta(seconds=expires_s))

    def delete(self, owner: str, sha256: str) -> None:
        """Delete a blob, if it exists."""
        try:
            obstore.delete(self._store, f"{owner}/{sha256}")
        except FileNotFoundError:
            return

    def objects(self) -> Iterator[StoredObject]:
        """Yield all blobs, and what else lies in the store except the store's own files."""
        for path, size in self._paths():
            if match := BLOB_PATH.fullmatch(path):
                yield StoredObject(path, size, match[1], match[2])
            elif not path.startswith(f"{OWN_FOLDER}/"):
                yield StoredObject(path, size)

    def _paths(self) -> Iterator[tuple[str, int]]:
        if self._folder is not None:
            yield from _files(self._folder)
            return
        for page in obstore.list(self._store, chunk_size=PAGE_SIZE):
            yield from ((item["path"], int(item["size"])) for item in page)

    def has_blobs(self) -> bool:
        """Return whether the store holds bytes of any user."""
        return any(item.owner not in ("", INSTALLATION) for item in self.objects())

    def installation(self) -> str | None:
        """Return the id of the installation that the store belongs to, if it names one."""
        try:
            content = bytes(obstore.get(self._store, INSTALLATION_PATH).bytes())
        except FileNotFoundError:
            return None
        return str(json.loads(content)["id"])

    def claim(self, installation: str) -> str:
        """Name the installation that the store belongs to. Return the one named, if it was."""
        content = json.dumps({"id": installation}).encode()
        try:
            obstore.put(self._store, INSTALLATION_PATH, content, mode="create")
        except AlreadyExistsError:
            return self.installation() or installation
        return installation

    def delete_old_temporaries(self, older_than_s: float) -> None:
        """Delete what a crash left of blobs that were being written to a folder."""
        if self._folder is None:
            return
        for path in self._temporaries.iterdir():
            if path.stat().st_mtime < time.time() - older_than_s:
                path.unlink(missing_ok=True)


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield path and size of every file; a folder that may not be read, as lost+found, has none."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            with suppress(OSError):  # deleted meanwhile
                yield path.relative_to(folder).as_posix(), path.lstat().st_size
