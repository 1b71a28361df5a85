"""Uploads to an API on this machine: a file gets into its spool without a request per chunk."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import BinaryIO

from clipmill.protocol import Upload
from clipmill_client.api_connection import ApiConnection
from clipmill_client.transfer import Transfers

# ioctl of Linux: share the blocks of another file until one of the two is written to.
FICLONE = 0x40049409
COPY_BYTES = 64 * 1024 * 1024


class LocalTransfers(Transfers):
    """Transfers over the connection to an API of this process.

    A file is cloned where the file system can (btrfs, XFS, bcachefs), and else copied within the
    kernel. It is never linked: whoever edits it in place would change what is stored.
    """

    def __init__(self, connection: ApiConnection, state: Path) -> None:
        super().__init__(connection)
        self._state = state

    def _upload_chunk(self, path: Path, upload: Upload) -> Upload:
        """Put the whole file into the spool; send a chunk where the disk has no space for that."""
        spooled = self._state / "spool" / upload.id
        if not self._has_space(upload.size_bytes):
            return super()._upload_chunk(path, upload)
        try:
            clone_or_copy(path, spooled)
        except OSError:
            spooled.unlink(missing_ok=True)
            return super()._upload_chunk(path, upload.model_copy(update={"offset": 0}))
        return upload.model_copy(update={"offset": upload.size_bytes})

    def _has_space(self, size_bytes: int) -> bool:
        # Leaves as much to the API as the file may take in the store.
        return shutil.disk_usage(self._state).free > 2 * size_bytes + COPY_BYTES


def clone_or_copy(source: Path, target: Path) -> None:
    """Replace `target` by a file with the content of `source`, durably. Raises OSError."""
    target.unlink(missing_ok=True)
    with source.open("rb") as reader, target.open("xb") as writer:
        try:
            fcntl.ioctl(writer, FICLONE, reader.fileno())
        except OSError:
            _copy(reader, writer)
        os.fsync(writer.fileno())


def _copy(reader: BinaryIO, writer: BinaryIO) -> None:
    while os.copy_file_range(reader.fileno(), writer.fileno(), COPY_BYTES):
        pass
