"""Downloads from an API on the same machine: its blobs are linked, not copied."""

from __future__ import annotations

import os
from pathlib import Path

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

    def download(self, source: str, path: Path) -> None:
        """Link the file of `source`, else download it. Raise ClientError if it is refused."""
        if not self._link(source, path):
            super().download(source, path)

    def _link(self, source: str, path: Path) -> bool:
        try:
            response = self._connection.request("HEAD", source)
        except PermanentError:
            return False  # The download says why, or is possible without it.
        sha256 = response.headers.get("etag", "").strip('"')
        size = int(response.headers.get("content-length", "-1"))
        blob = next(self._blobs.glob(f"*/{sha256}"), None) if sha256.isalnum() else None
        if blob is None or blob.stat().st_size != size:
            return False
        path.unlink(missing_ok=True)
        try:
            os.link(blob, path)
        except OSError:
            return False
        return True
