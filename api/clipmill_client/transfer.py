"""Bytes up and down: resumable, and checked by sha256 at the end of either way."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

from clipmill.protocol import Upload, UploadPurpose, UploadRequest
from clipmill_client.errors import PermanentError, RetryableError
from clipmill_client.http_transport import BYTES_TIMEOUT, Wire

CHUNK_BYTES = 8 * 1024 * 1024


def sha256_of(path: Path) -> str:
    """The file's SHA-256, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Transfers:
    """Uploads and downloads over one wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def upload(self, path: Path, request: UploadRequest) -> Upload:
        """Send a file up, from where an earlier try stopped, and publish it. Raises ClientError.

        The announcement names size and sha256, so the same file announced again is the same upload.
        """
        if request.size_bytes <= CHUNK_BYTES and request.purpose is not UploadPurpose.LIBRARY:
            try:
                return self._whole(path, request)
            except RetryableError:
                pass  # What came of it is kept; the long way asks how much.
        upload = self._wire.ask(Upload, "POST", "/api/uploads", body=request)
        while upload.offset < upload.size_bytes:
            # Where the next chunk goes is asked only after one that failed.
            known = [upload]
            upload = self._wire.repeat(partial(self._chunk, path, upload.id, known))
        if upload.complete:
            return upload
        return self._wire.ask(
            Upload, "POST", f"/api/uploads/{upload.id}/complete", timeout=BYTES_TIMEOUT
        )

    def _whole(self, path: Path, request: UploadRequest) -> Upload:
        """A small file by one request. A library's file is not: it may be known there already."""
        params = request.model_dump(mode="json", by_alias=True, exclude_none=True)
        content = path.read_bytes()
        headers = {"Content-Type": "application/octet-stream"}
        options: dict[str, Any] = {"params": params, "content": content, "headers": headers}
        reply = self._wire.once("PUT", "/api/uploads", timeout=BYTES_TIMEOUT, **options)
        return Upload.model_validate_json(reply.content)

    def _chunk(self, path: Path, upload_id: str, known: list[Upload]) -> Upload:
        """Send the next chunk; the API knows where it goes, so a repeat cannot double it."""
        where = f"/api/uploads/{upload_id}"
        now = known.pop() if known else self._wire.ask(Upload, "GET", where)
        if now.offset >= now.size_bytes:
            return now
        with path.open("rb") as file:
            file.seek(now.offset)
            chunk = file.read(CHUNK_BYTES)
        headers = {
            "Upload-Offset": str(now.offset),
            "Upload-Complete": "?1" if now.offset + len(chunk) >= now.size_bytes else "?0",
            "Content-Type": "application/offset+octet-stream",
        }
        try:
            reply = self._wire.once(
                "PATCH", where, content=chunk, headers=headers, timeout=BYTES_TIMEOUT
            )
        except PermanentError as error:
            if error.code != "WrongOffset":
                raise
            # What an earlier, cut request sent was still being written when we asked.
            raise RetryableError(error.code, error.detail, status=error.status) from error
        return Upload.model_validate_json(reply.content)

    # --- down ------------------------------------------------------------------------------------

    def download(self, source: str, path: Path) -> None:
        """Fetch `source` into a file, from where an earlier try stopped. Raises ClientError.

        The file appears under its name only when its sha256 is what the API said.
        """
        part = path.with_name(path.name + ".part")
        self._wire.repeat(lambda: self._checked(source, part))
        part.replace(path)

    def _checked(self, source: str, part: Path) -> None:
        expected = self._rest(source, part)
        found = sha256_of(part)
        if found != expected:
            part.unlink()
            raise RetryableError("DigestMismatch", f"{source}: sha256 is {found}, not {expected}")

    def _rest(self, source: str, part: Path) -> str:
        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        try:
            with self._wire.stream(source, headers) as reply:
                mode = "ab" if reply.status_code == 206 else "wb"
                with part.open(mode) as file:
                    for chunk in reply.iter_bytes():
                        file.write(chunk)
                return reply.headers["etag"].strip('"')
        except PermanentError as error:
            if error.status != 416:
                raise
            part.unlink()
            raise RetryableError("StalePart", "an earlier part was longer than the file") from error
