"""Resumable uploads and downloads, each verified by the file's SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from clipmill import fault_points
from clipmill.protocol import MediaKind, Upload, UploadPurpose, UploadRequest
from clipmill.protocol.assignments import StoredFile
from clipmill_client.api_connection import BYTES_TIMEOUT, ApiConnection
from clipmill_client.errors import LinkFailed, PermanentError, RetryableError

CHUNK_BYTES = 8 * 1024 * 1024
# A smaller file is not worth the requests of an upload by a link.
SMALL_BYTES = 64 * 1024
ROOT = "/api/uploads"
MAX_NAME_CHARS = 255


class UploadStep(StrEnum):
    """What happens to a file on its way into the API."""

    HASHING = "hashing"
    SENDING = "sending"
    # The API reads the whole file, and decodes a clip.
    CHECKING = "checking"
    DONE = "done"


class UploadProgress(NamedTuple):
    """How far the upload of a file is."""

    path: Path
    step: UploadStep
    sent_bytes: int = 0
    size_bytes: int = 0


OnUpload = Callable[[UploadProgress], None]


def unobserved(progress: UploadProgress) -> None:
    """Do nothing with the progress of an upload."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def printable_name(name: str) -> str:
    """Return a file name as the API stores it: one line of Unicode, of at most 255 characters.

    A file system allows more: line breaks, and bytes that are not UTF-8.
    """
    text = name.encode(errors="replace").decode()
    return "".join(" " if ord(c) < ord(" ") or c == "\x7f" else c for c in text)[:MAX_NAME_CHARS]


def _progress_of(path: Path, upload: Upload) -> UploadProgress:
    """Return the progress before the next chunk; the API checks the file with the last one."""
    is_last = upload.size_bytes - upload.offset <= CHUNK_BYTES
    step = UploadStep.CHECKING if is_last else UploadStep.SENDING
    return UploadProgress(path, step, upload.offset, upload.size_bytes)


def library_request(
    path: Path, kind: MediaKind, filename: str | None = None, *, keep_broken: bool = False
) -> UploadRequest:
    """Return the announcement of a file for the media library, by default under its own name."""
    return UploadRequest(
        purpose=UploadPurpose.LIBRARY,
        kind=kind,
        filename=printable_name(filename or path.name),
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        keep_broken=keep_broken,
    )


class Transfers:
    """Uploads and downloads over one connection.

    `has_links` says whether the API is known to offer links of its object store for uploads.
    After one has failed, no other is tried.
    """

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection
        self.has_links = False
        self._link_failed = False

    def upload(
        self, path: Path, request: UploadRequest, on_progress: OnUpload = unobserved
    ) -> Upload:
        """Upload a file, from the offset that the API has already, and publish it.

        Announcing the same size and SHA-256 again continues the same upload. Where the API offers
        links of its object store, the bytes go there; if they cannot, to the API.

        Args:
            path: The file.
            request: Its announcement.
            on_progress: Called for each step, and after each chunk that was sent.

        Raises:
            ClientError: The API refused the upload or could not be reached.
        """
        fault_points.reach(f"job.upload.{request.purpose}.starting")
        upload = self._upload(path, request, on_progress)
        fault_points.reach(f"job.upload.{request.purpose}.completed")
        return upload

    def upload_library(
        self,
        path: Path,
        kind: MediaKind,
        filename: str | None = None,
        *,
        keep_broken: bool = False,
        on_progress: OnUpload = unobserved,
    ) -> Upload:
        """Upload a file for the media library. Raises ClientError."""
        on_progress(UploadProgress(path, UploadStep.HASHING))
        request = library_request(path, kind, filename, keep_broken=keep_broken)
        upload = self.upload(path, request, on_progress)
        on_progress(UploadProgress(path, UploadStep.DONE))
        return upload

    def announce(self, request: UploadRequest) -> Upload:
        """Return the unfinished upload of this announcement, or a new one."""
        return self._connection.request_as(Upload, "POST", ROOT, body=request)

    def _upload(self, path: Path, request: UploadRequest, on_progress: OnUpload) -> Upload:
        # The API may have the bytes of a library file already, so only others go in one request.
        limit = SMALL_BYTES if self.has_links else CHUNK_BYTES
        if request.size_bytes <= limit and request.purpose is not UploadPurpose.LIBRARY:
            try:
                return self._upload_whole(path, request)
            except RetryableError:
                pass  # The API keeps what it received; continue at its offset.
        upload = self.announce(request)
        fault_points.reach(f"job.upload.{request.purpose}.announced")
        upload = self._send_parts(path, upload, on_progress)
        while upload.offset < upload.size_bytes:
            on_progress(_progress_of(path, upload))
            upload = self._upload_chunk(path, upload)
            fault_points.reach(f"job.upload.{request.purpose}.chunk")
        if upload.complete:
            return upload
        on_progress(UploadProgress(path, UploadStep.CHECKING))
        where = f"{ROOT}/{upload.id}/complete"
        return self._connection.request_as(Upload, "POST", where, timeout=BYTES_TIMEOUT)

    def _send_parts(self, path: Path, upload: Upload, on_progress: OnUpload) -> Upload:
        """Send what the API offers links for; return the upload with the offset after it.

        Links expire while others are being used, so that after a failure new ones are asked for,
        unless not even the first one works.
        """
        before = -1
        while upload.links and not self._link_failed and upload.offset > before:
            before = upload.offset
            if not self._send_to_links(path, upload, on_progress):
                self._link_failed, self.has_links = True, False
            upload = self._connection.request_as(Upload, "GET", f"{ROOT}/{upload.id}")
        return upload

    def _send_to_links(self, path: Path, upload: Upload, on_progress: OnUpload) -> int:
        """Send parts of a file until a link fails; return how many were sent."""
        links = upload.links or []
        for sent, link in enumerate(links):
            sizes = (link.offset, upload.size_bytes)
            on_progress(UploadProgress(path, UploadStep.SENDING, *sizes))
            try:
                self._connection.send_to_link(link.url, path, link.offset, link.size_bytes)
            except LinkFailed:
                return sent
        return len(links)

    def _upload_whole(self, path: Path, request: UploadRequest) -> Upload:
        params = request.model_dump(mode="json", by_alias=True, exclude_none=True)
        content = path.read_bytes()
        headers = {"Content-Type": "application/octet-stream"}
        options: dict[str, Any] = {"params": params, "content": content, "headers": headers}
        response = self._connection.request_once("PUT", ROOT, timeout=BYTES_TIMEOUT, **options)
        return Upload.model_validate_json(response.content)

    def _upload_chunk(self, path: Path, upload: Upload) -> Upload:
        """Send the chunk at the upload's offset; ask for the offset again after a failure."""
        next_upload: Upload | None = upload

        def attempt() -> Upload:
            nonlocal next_upload
            where = f"{ROOT}/{upload.id}"
            current = next_upload or self._connection.request_as(Upload, "GET", where)
            next_upload = None
            if current.offset >= current.size_bytes:
                return current
            return self._patch(path, current)

        return self._connection.retry(attempt)

    def _patch(self, path: Path, upload: Upload) -> Upload:
        with path.open("rb") as file:
            file.seek(upload.offset)
            chunk = file.read(CHUNK_BYTES)
        is_last = upload.offset + len(chunk) >= upload.size_bytes
        headers = {
            "Upload-Offset": str(upload.offset),
            "Upload-Complete": "?1" if is_last else "?0",
            "Content-Type": "application/offset+octet-stream",
        }
        options: dict[str, Any] = {"content": chunk, "headers": headers, "timeout": BYTES_TIMEOUT}
        try:
            response = self._connection.request_once("PATCH", f"{ROOT}/{upload.id}", **options)
        except PermanentError as error:
            if error.code != "WrongOffset":
                raise
            # The API was still writing the bytes of an interrupted request.
            raise RetryableError(error.code, error.detail, status=error.status) from error
        return Upload.model_validate_json(response.content)

    def download(
        self,
        source: str,
        path: Path,
        stored: StoredFile | None = None,  # noqa: ARG002  for transfers beside the store
    ) -> None:
        """Download `source` into a file, continuing an interrupted download.

        The file gets its name only when its SHA-256 equals the response's ETag.

        Args:
            source: Path of the API.
            path: The file.
            stored: The stored file, if the caller has its hash, for transfers beside the store.

        Raises:
            ClientError: The API refused the request or could not be reached.
        """
        part = path.with_name(path.name + ".part")
        self._connection.retry(lambda: self._download_verified(source, part))
        part.replace(path)

    def _download_verified(self, source: str, part: Path) -> None:
        expected = self._download_rest(source, part)
        actual = sha256_of(part)
        if actual != expected:
            part.unlink()
            raise RetryableError("DigestMismatch", f"{source}: sha256 is {actual}, not {expected}")

    def _download_rest(self, source: str, part: Path) -> str:
        """Append what is missing to a partial file; return the SHA-256 of the whole."""
        size = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={size}-"} if size else {}
        try:
            with self._connection.stream(source, headers) as response:
                mode = "ab" if response.status_code == 206 else "wb"
                with part.open(mode) as file:
                    for chunk in response.iter_bytes():
                        file.write(chunk)
                # An object store that the API redirects to has ETags of its own.
                named = response.history[0] if response.history else response
                return named.headers["etag"].strip('"')
        except PermanentError as error:
            if error.status != 416:
                raise
            part.unlink()
            detail = f"{source}: the partial file was longer than the file"
            raise RetryableError("StalePart", detail) from error
