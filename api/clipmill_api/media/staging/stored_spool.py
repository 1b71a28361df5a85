"""Growing uploads in the object store, where every replica can continue them.

The bytes of an upload are objects named by their offset, `.clipmill/uploads/<id>/<offset>`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore

from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.media.blob_store import OWN_FOLDER, BlobStore
from clipmill_api.media.disk_space import DiskSpace
from clipmill_api.media.upload_spool import wrong_offset

UPLOADS = f"{OWN_FOLDER}/uploads"
OBJECT_BYTES = 8 * 1024 * 1024
OFFSET_DIGITS = 16


class StoredWriter:
    """A writer that sends bytes as objects. Of two at one offset, the first wins."""

    def __init__(self, store: ObjectStore, prefix: str, offset: int) -> None:
        self.offset = offset
        self._store, self._prefix = store, prefix
        self._at = offset
        self._buffer = bytearray()

    def write(self, data: bytes) -> None:
        """Append bytes. Raise ApiProblem 503 if another writer has taken over."""
        self._buffer += data
        if len(self._buffer) >= OBJECT_BYTES:
            self._send()

    def finish(self, data: bytes) -> None:
        """Append the last bytes, and send what is left. Raises as `write`."""
        self._buffer += data
        if self._buffer:
            self._send()

    def _send(self) -> None:
        content = bytes(self._buffer)
        self._buffer.clear()  # before an error: it is not sent twice
        try:
            path = object_path(self._prefix, self._at)
            obstore.put(self._store, path, content, mode="create")
        except AlreadyExistsError:
            detail = "another request has taken over the upload; continue at its offset"
            raise ApiProblem(503, "UploadBusy", detail) from None
        self._at += len(content)


class StoredSpool:
    """The unfinished uploads in an object store.

    Args:
        store: The blob store, in an object store.
        folder: Folder of temporary copies.
        disk: The disk of that folder.
    """

    def __init__(self, store: BlobStore, folder: Path, disk: DiskSpace) -> None:
        self._blobs = store
        self._store = store.object_store
        self._folder = folder
        self._disk = disk

    def parts(self, upload_id: str) -> dict[int, int]:
        """Return the lengths of the upload's objects by their offsets."""
        prefix = f"{UPLOADS}/{upload_id}/"
        pages = obstore.list(self._store, prefix=prefix)
        sizes = {item["path"].removeprefix(prefix): int(item["size"]) for p in pages for item in p}
        return {int(name): size for name, size in sizes.items() if name.isdecimal()}

    def offset(self, upload_id: str) -> int:
        """Return the number of bytes from the start that have arrived without a gap."""
        return end_of(self.parts(upload_id))

    def take_over(self, upload_id: str, offset: int | None = None) -> StoredWriter:
        """Return a writer that appends to the upload.

        Args:
            upload_id: The upload.
            offset: Where the writer will begin; None if that is where the bytes end.

        Raises:
            ApiProblem: 409 if the bytes do not end at `offset`.
        """
        end = self.offset(upload_id)
        if offset not in (None, end):
            raise wrong_offset(offset, end)
        return StoredWriter(self._store, f"{UPLOADS}/{upload_id}", end)

    @contextmanager
    def opened(self, upload_id: str) -> Iterator[Path]:
        """Yield a temporary copy of the bytes from the start. Raise ApiProblem 507."""
        parts = self.parts(upload_id)
        self._disk.require(end_of(parts))
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = Path(folder) / upload_id
            with path.open("wb") as file:
                for offset in contiguous(parts):
                    where = object_path(f"{UPLOADS}/{upload_id}", offset)
                    for chunk in obstore.get(self._store, where).stream():
                        file.write(chunk)
            yield path

    def link(self, upload_id: str, offset: int, *, expires_s: int) -> str | None:
        """Return a signed URL that takes bytes from an offset on by PUT. None if there is none."""
        path = object_path(f"{UPLOADS}/{upload_id}", offset)
        return self._blobs.upload_link(path, expires_s=expires_s)

    def rename(self, upload_id: str, new_id: str) -> None:
        """Move an upload's bytes, if there are any, to a new id."""
        for offset in self.parts(upload_id):
            old, new = (object_path(f"{UPLOADS}/{each}", offset) for each in (upload_id, new_id))
            with suppress(FileNotFoundError):
                obstore.rename(self._store, old, new)

    def ids(self) -> list[str]:
        """Return the ids of all uploads that have objects."""
        listed = obstore.list_with_delimiter(self._store, prefix=f"{UPLOADS}/")
        return sorted(prefix.rstrip("/").rsplit("/", 1)[-1] for prefix in listed["common_prefixes"])

    def delete(self, upload_id: str) -> None:
        """Delete an upload's bytes, if there are any."""
        for offset in self.parts(upload_id):
            with suppress(FileNotFoundError):
                obstore.delete(self._store, object_path(f"{UPLOADS}/{upload_id}", offset))


def object_path(prefix: str, offset: int) -> str:
    """Return the path of the object at an offset; paths sort like offsets."""
    return f"{prefix}/{offset:0{OFFSET_DIGITS}}"


def contiguous(parts: dict[int, int]) -> Iterator[int]:
    """Yield the offsets of the objects that follow each other from the start."""
    at = 0
    while parts.get(at):
        yield at
        at += parts[at]


def end_of(parts: dict[int, int]) -> int:
    """Return where the bytes from the start end."""
    return sum(parts[offset] for offset in contiguous(parts))
