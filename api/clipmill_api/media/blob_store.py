"""Bytes by content: a folder, S3, GCS or Azure through obstore. Named `<owner>/<sha256>`."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from clipmill_api.http.problem_details import ApiProblem

READ_BYTES = 1024 * 1024


class Store:
    """Finished bytes in the object store, growing ones in the spool on local disk."""

    def __init__(self, state: Path, url: str | None) -> None:
        self._spool = state / "spool"
        self._spool.mkdir(parents=True, exist_ok=True)
        self._blobs: ObjectStore
        if url is None:
            self._blobs = LocalStore(state / "blobs", mkdir=True)
        else:
            self._blobs = from_url(url)

    # --- the spool ---------------------------------------------------------------------------

    def spooled(self, upload_id: str) -> Path:
        """Where an upload grows."""
        return self._spool / upload_id

    def offset(self, upload_id: str) -> int:
        """How many bytes of an upload are here: the disk says so, nobody else."""
        path = self.spooled(upload_id)
        return path.stat().st_size if path.exists() else 0

    @contextmanager
    def appending(self, upload_id: str) -> Iterator[BinaryIO]:
        """The upload's file, for one writer at a time; on disk before the answer goes out."""
        with self.spooled(upload_id).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                detail = f"another request is writing to {upload_id}; try again"
                raise ApiProblem(503, "UploadBusy", detail) from None
            yield file
            file.flush()
            os.fsync(file.fileno())

    def digest(self, upload_id: str) -> str:
        """SHA-256 of what was sent."""
        with self.spooled(upload_id).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def forget(self, upload_id: str) -> None:
        """Drop an upload's bytes."""
        self.spooled(upload_id).unlink(missing_ok=True)

    # --- the blobs ---------------------------------------------------------------------------

    def keep(self, upload_id: str, owner: str, sha256: str) -> None:
        """Put an upload's bytes among the blobs. A repeat writes the same bytes again."""
        obstore.put(self._blobs, f"{owner}/{sha256}", self.spooled(upload_id))

    def put(self, owner: str, sha256: str, content: bytes) -> None:
        """Put bytes of our own among the blobs."""
        obstore.put(self._blobs, f"{owner}/{sha256}", content)

    def size(self, owner: str, sha256: str) -> int:
        """Length of a blob in bytes. Raises FileNotFoundError."""
        return int(obstore.head(self._blobs, f"{owner}/{sha256}")["size"])

    def has(self, owner: str, sha256: str) -> bool:
        """Whether the blob is there."""
        try:
            obstore.head(self._blobs, f"{owner}/{sha256}")
        except FileNotFoundError:
            return False
        return True

    def read(self, owner: str, sha256: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes [start, end) of a blob, a megabyte at a time."""
        for at in range(start, end, READ_BYTES):
            stop = min(at + READ_BYTES, end)
            yield bytes(obstore.get_range(self._blobs, f"{owner}/{sha256}", start=at, end=stop))

    def copy_to(self, owner: str, sha256: str, path: Path) -> None:
        """A blob as a local file, for the prober."""
        with path.open("wb") as file:
            for chunk in obstore.get(self._blobs, f"{owner}/{sha256}").stream():
                file.write(chunk)

    def older_than(self, when: datetime) -> Iterator[list[tuple[str, str]]]:
        """Blobs as (owner, sha256) that were last written before, some hundreds at a time."""
        for page in obstore.list(self._blobs, chunk_size=500):
            old = [blob["path"].split("/") for blob in page if blob["last_modified"] < when]
            yield [(owner, sha256) for owner, sha256 in old]

    def drop(self, owner: str, sha256: str) -> None:
        """Delete a blob; one that is gone is gone."""
        try:
            obstore.delete(self._blobs, f"{owner}/{sha256}")
        except FileNotFoundError:
            return
