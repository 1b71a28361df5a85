"""Growing uploads on local disk, one file each."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from clipmill_api.http.problem_details import ApiProblem


class UploadSpool:
    """The folder of unfinished uploads. A file's length is the upload's offset."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def path(self, upload_id: str) -> Path:
        """Return the file of an upload."""
        return self._folder / upload_id

    def offset(self, upload_id: str) -> int:
        """Return the number of bytes that have arrived."""
        path = self.path(upload_id)
        return path.stat().st_size if path.exists() else 0

    @contextmanager
    def appending(self, upload_id: str) -> Iterator[BinaryIO]:
        """Open an upload for one writer, and flush it to disk at the end.

        Raises:
            ApiProblem: 503 if another request is writing to it.
        """
        with self.path(upload_id).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                detail = f"another request is writing to upload {upload_id}; retry later"
                raise ApiProblem(503, "UploadBusy", detail) from None
            yield file
            file.flush()
            os.fsync(file.fileno())

    def sha256(self, upload_id: str) -> str:
        """Return the SHA-256 of the bytes that have arrived."""
        with self.path(upload_id).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def rename(self, upload_id: str, new_id: str) -> None:
        """Move an upload's bytes, if there are any, to a new id."""
        with suppress(FileNotFoundError):
            self.path(upload_id).rename(self.path(new_id))

    def ids(self) -> list[str]:
        """Return the ids of all uploads that have bytes here."""
        return [entry.name for entry in os.scandir(self._folder) if entry.is_file()]

    def delete(self, upload_id: str) -> None:
        """Delete an upload's bytes, if there are any."""
        self.path(upload_id).unlink(missing_ok=True)
