"""Downloads from an API on the same machine: its blobs are linked, not copied."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from clipmill.protocol.assignments import StoredFile
from clipmill_client.api_connection import ApiConnection
from clipmill_client.errors import PermanentError
from clipmill_client.transfer import Transfers


class LinkedTransfers(Transfers):
    """Transfers that get a file from the store's folder, once the API has allowed it.

    A linked file is the store's own: whoever changes it changes what is stored. Where it cannot be
    linked, as on another file system, it is downloaded.

    Args:
        connection: Connection to the API.
        blobs: Folder of its store, with blobs named `<owner>/<sha256>`.
    """

    def __init__(self, connection: ApiConnection, blobs: Path) -> None:
        super().__init__(connection)
        self._blobs = blobs

    def download(self, source: str, path: Path, stored: StoredFile | None = None) -> None:
        """Link the file of `source`, else download it. Raise ClientError if it is refused."""
        file = stored or self._describe(source)
        if file is None or not self._link(file, path):
            super().download(source, path)

    def _describe(self, source: str) -> StoredFile | None:
        """Return what the API says about a file; None if it refuses, as the download says why."""
        try:
            response = self._connection.request("HEAD", source)
            sha256 = response.headers["etag"].strip('"')
            return StoredFile(sha256=sha256, size_bytes=response.headers["content-length"])
        except (PermanentError, KeyError, ValidationError):
            return None

    def _link(self, file: StoredFile, path: Path) -> bool:
        blob = next(self._blobs.glob(f"*/{file.sha256}"), None)
        if blob is None or blob.stat().st_size != file.size_bytes:
            return False
        path.unlink(missing_ok=True)
        try:
            os.link(blob, path)
        except OSError:
            return False
        return True
