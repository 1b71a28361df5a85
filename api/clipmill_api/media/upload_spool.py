"""Growing uploads on local disk, one file each."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.media.disk_space import DiskSpace


class UploadWriter:
    """The writer of an upload until another takes over. Its calls block, so they need a thread."""

    def __init__(
        self, file: FileIO, marker: Path, token: str, offset: int, disk: DiskSpace
    ) -> None:
        self.offset = offset
        self._disk = disk
        self._file, self._marker, self._token = file, marker, token

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            ApiProblem: 503 if another writer has taken over, 507 if the disk is almost full.
        """
        if data:
            self._disk.require(len(data))
        with _locked(self._file):
            if not self._is_newest():
                detail = "another request has taken over the upload; continue at its offset"
                raise ApiProblem(503, "UploadBusy", detail)
            self._write_all(data)

    def _write_all(self, data: bytes) -> None:
        """Write without a buffer: after an error, the file ends with the last byte written."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def finish(self, data: bytes) -> None:
        """Append the last bytes, make all durable and close the file. Raises as `write`."""
        try:
            self.write(data)
            os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def _is_newest(self) -> bool:
        try:
            return self._marker.read_text() == self._token
        except FileNotFoundError:
            return False


class UploadSpool:
    """The folder of unfinished uploads. A file's length is the upload's offset."""

    def __init__(self, folder: Path, disk: DiskSpace) -> None:
        self._folder = folder
        self._disk = disk
        self._markers = folder.with_name(f"{folder.name}-writers")
        for each in (self._folder, self._markers):
            each.mkdir(parents=True, exist_ok=True)

    def path(self, upload_id: str) -> Path:
        """Return the file of an upload."""
        return self._folder / upload_id

    def offset(self, upload_id: str) -> int:
        """Return the number of bytes that have arrived."""
        path = self.path(upload_id)
        return path.stat().st_size if path.exists() else 0

    def take_over(self, upload_id: str, offset: int | None = None) -> UploadWriter:
        """Return the upload's only writer. A write of any earlier writer is refused from now on.

        Args:
            upload_id: The upload.
            offset: Where the writer will begin; None if that is where the bytes end.

        Raises:
            ApiProblem: 409 if the bytes do not end at `offset`.
        """
        file = self.path(upload_id).open("ab", buffering=0)
        with _locked(file):
            end = os.fstat(file.fileno()).st_size
            if offset not in (None, end):
                file.close()
                raise wrong_offset(offset, end)
            token = secrets.token_hex(8)
            self._marker(upload_id).write_text(token)
        return UploadWriter(file, self._marker(upload_id), token, end, self._disk)

    @contextmanager
    def opened(self, upload_id: str) -> Iterator[Path]:
        """Yield the file of an upload, to read it."""
        path = self.path(upload_id)
        if not path.exists():  # No request has written anything.
            path.touch()
        yield path

    def rename(self, upload_id: str, new_id: str) -> None:
        """Move an upload's bytes, if there are any, to a new id."""
        self._marker(upload_id).unlink(missing_ok=True)
        with suppress(FileNotFoundError), self.path(upload_id).open("rb") as file, _locked(file):
            self.path(upload_id).rename(self.path(new_id))

    def ids(self) -> list[str]:
        """Return the ids of all uploads that have files here."""
        folders = (self._folder, self._markers)
        return sorted({path.name for folder in folders for path in folder.iterdir()})

    def delete(self, upload_id: str) -> None:
        """Delete an upload's bytes, if there are any."""
        self.path(upload_id).unlink(missing_ok=True)
        self._marker(upload_id).unlink(missing_ok=True)

    def _marker(self, upload_id: str) -> Path:
        """Return the file that holds the token of the newest writer."""
        return self._markers / upload_id


def wrong_offset(offset: int | None, end: int) -> ApiProblem:
    """Return the problem of bytes that do not begin where those before end."""
    detail = f"Upload-Offset: {offset} is not the upload's offset, {end}"
    return ApiProblem(409, "WrongOffset", detail, offset=end)


@contextmanager
def _locked(file: BinaryIO | FileIO) -> Iterator[None]:
    """Hold the file's lock, which writers of all replicas hold for one write only."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if not file.closed:
            fcntl.flock(file, fcntl.LOCK_UN)
