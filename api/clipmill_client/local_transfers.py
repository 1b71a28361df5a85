"""Files to and from an API on this machine, by its state folder: no bytes pass through requests.

The API still decides: it is asked for each file, and inspects what was put into its spool.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from clipmill.protocol import Upload
from clipmill.protocol.assignments import StoredFile
from clipmill_client.api_connection import ApiConnection
from clipmill_client.errors import PermanentError
from clipmill_client.transfer import Transfers, sha256_of

# ioctl of Linux: share the blocks of another file until one of the two is written to.
FICLONE = 0x40049409
COPY_BYTES = 64 * 1024 * 1024


class LocalTransfers(Transfers, ABC):
    """Transfers that put files into the spool, and get them from the store.

    Where that fails, as on another file system, they go by requests.

    Args:
        connection: Connection to the API.
        state: Its state folder, with `spool/<upload>` and `blobs/<owner>/<sha256>`.
    """

    def __init__(self, connection: ApiConnection, state: Path) -> None:
        super().__init__(connection)
        self._state = state

    @abstractmethod
    def _put(self, path: Path, spooled: Path) -> None:
        """Make a file the spooled one. Raise OSError."""

    @abstractmethod
    def _get(self, blob: Path, path: Path, sha256: str) -> bool:
        """Make a file of a blob; return False if its content is another. Raise OSError."""

    def _upload_chunk(self, path: Path, upload: Upload) -> Upload:
        """Put the whole file into the spool; send a chunk where that fails, and the next ones."""
        if upload.offset:
            return super()._upload_chunk(path, upload)
        spooled = self._state / "spool" / upload.id
        try:
            self._put(path, spooled)
        except OSError:
            spooled.unlink(missing_ok=True)
            return super()._upload_chunk(path, upload)
        return upload.model_copy(update={"offset": upload.size_bytes})

    def download(self, source: str, path: Path, stored: StoredFile | None = None) -> None:
        """Get the file of `source`, else download it. Raise ClientError if it is refused."""
        file = stored or self._describe(source)
        if file is None or not self._get_stored(file, path):
            super().download(source, path)

    def _describe(self, source: str) -> StoredFile | None:
        """Return what the API says about a file; None if it refuses, as the download says why."""
        try:
            response = self._connection.request("HEAD", source)
            sha256 = response.headers["etag"].strip('"')
            return StoredFile(sha256=sha256, size_bytes=response.headers["content-length"])
        except (PermanentError, KeyError, ValidationError):
            return None

    def _get_stored(self, file: StoredFile, path: Path) -> bool:
        blob = next((self._state / "blobs").glob(f"*/{file.sha256}"), None)
        if blob is None or blob.stat().st_size != file.size_bytes:
            return False
        try:
            return self._get(blob, path, file.sha256)
        except OSError:
            return False


class LinkedTransfers(LocalTransfers):
    """Transfers of a job, whose files are links to those of the store.

    Whoever changes such a file changes what is stored: a job deletes what it has uploaded or
    downloaded before it writes another file of that name.
    """

    def _put(self, path: Path, spooled: Path) -> None:
        _link(path, spooled)

    def _get(self, blob: Path, path: Path, sha256: str) -> bool:  # noqa: ARG002
        _link(blob, path)
        return True


class CopiedTransfers(LocalTransfers):
    """Transfers of a person, who may edit a file in place: it is never a link.

    It is cloned where the file system can (btrfs, XFS, bcachefs), and else copied within the
    kernel.
    """

    def _put(self, path: Path, spooled: Path) -> None:
        self._require_space(path.stat().st_size)
        clone_or_copy(path, spooled)

    def _require_space(self, size_bytes: int) -> None:
        # Leaves as much to the API as the file may take in the store.
        if shutil.disk_usage(self._state).free <= 2 * size_bytes + COPY_BYTES:
            raise OSError(f"{self._state}: no space for {size_bytes} bytes")

    def _get(self, blob: Path, path: Path, sha256: str) -> bool:
        part = path.with_name(f"{path.name}.part")
        with ThreadPoolExecutor(1) as pool:
            actual = pool.submit(sha256_of, blob)
            clone_or_copy(blob, part)
        if actual.result() != sha256:
            part.unlink()
            return False
        part.replace(path)
        return True


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    target.hardlink_to(source)


def clone_or_copy(source: Path, target: Path) -> None:
    """Replace `target` by a file with the content of `source`. Raises OSError."""
    target.unlink(missing_ok=True)
    with source.open("rb") as reader, target.open("xb") as writer:
        try:
            fcntl.ioctl(writer, FICLONE, reader.fileno())
        except OSError:
            _copy(reader, writer)


def _copy(reader: BinaryIO, writer: BinaryIO) -> None:
    while os.copy_file_range(reader.fileno(), writer.fileno(), COPY_BYTES):
        pass
