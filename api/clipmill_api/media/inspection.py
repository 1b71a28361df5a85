"""Inspection of media files: length, SHA-256, packets and sound.

Pictures are judged when they are rendered, or where `validate` asks for it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from clipmill.protocol import MediaDefect, MediaFacts, MediaKind, UploadPurpose, UploadRequest
from clipmill.protocol.companion_kinds import COMPANION_KINDS
from clipmill_api.context import Context
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.tables import MediaRow, UploadRow
from clipmill_probe import Depth, MediaError, probe_image, probe_media

# Files whose sound is decoded and measured; that of the API's own renderings is not.
_UNTRUSTED = (UploadPurpose.CLIP, UploadPurpose.LIBRARY)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a file: its facts, or why it cannot be played."""

    facts: MediaFacts | None = None
    defect: MediaDefect | None = None


def is_untrusted(row: UploadRow) -> bool:
    """Return whether an upload's sound is decoded, which takes a core for as long as that."""
    return UploadRequest.model_validate(row.request).purpose in _UNTRUSTED


def require_whole(ctx: Context, row: UploadRow) -> None:
    """Refuse an upload of which bytes are missing, or that has too many. Raises 409 or 422."""
    size = ctx.spool.offset(row.id)
    if size < row.size_bytes:
        detail = f"{size} of {row.size_bytes} bytes have arrived"
        raise ApiProblem(409, "Incomplete", detail, offset=size)
    if size > row.size_bytes:  # A signed link takes more bytes than its part has.
        detail = f"sizeBytes: {row.size_bytes} bytes were announced, but {size} have arrived"
        raise ApiProblem(422, "DigestMismatch", detail)


def inspect_upload(row: UploadRow, request: UploadRequest, path: Path) -> Inspection:
    """Return the facts of an uploaded file; none of a companion file.

    Raises:
        ApiProblem: 422 if the file is not what was announced.
        OSError: The disk failed while the file was read.
    """
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(_require_announced, request, path)
        if request.purpose in _UNTRUSTED:
            digest.result()  # Of another file nothing is decoded, which takes longer than this.
        try:
            facts = _inspect_announced(request, path)
        except MediaError as error:
            digest.result()
            return _refuse_or_keep(row, request, path, error)
        digest.result()
    return Inspection(facts)


def _require_announced(request: UploadRequest, path: Path) -> None:
    sha256 = _sha256_of(path)
    if sha256 != request.sha256:
        detail = f"sha256: {request.sha256} was announced, but the file has {sha256}"
        raise ApiProblem(422, "DigestMismatch", detail)


def _inspect_announced(request: UploadRequest, path: Path) -> MediaFacts | None:
    """Return the facts of an uploaded file; none of a companion file. Raise MediaError."""
    if request.kind in COMPANION_KINDS:
        return None
    depth = Depth.SOUND if request.purpose in _UNTRUSTED else Depth.PACKETS
    return _inspect(path, request.kind, depth, purpose=request.purpose)


def _refuse_or_keep(
    row: UploadRow, request: UploadRequest, path: Path, error: MediaError
) -> Inspection:
    """Return the defect of a file that is kept all the same. Raise 422 for others."""
    _require_readable(path, request.sha256)
    detail = str(error).replace(row.id, request.filename)
    if request.keep_broken:
        return Inspection(defect=MediaDefect(code=error.code, message=detail[:500]))
    raise ApiProblem(422, error.code, detail) from None


def inspect_stored(ctx: Context, row: MediaRow) -> MediaFacts:
    """Return the facts of a file of the library, after decoding it to its end.

    The caller holds a slot of the probe queue, so that copies are made for few files at a time.

    Raises:
        ApiProblem: 422 if the file is missing or damaged.
    """
    ctx.settings.temporary.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ctx.settings.temporary) as folder:
        path = Path(folder) / "media"
        try:
            ctx.store.copy_to(row.owner, row.sha256, path)
            return _inspect(path, MediaKind(row.kind), Depth.FULL)
        except FileNotFoundError:
            detail = f"media {row.id}: its bytes are missing from the blob store"
            raise ApiProblem(422, "Missing", detail) from None
        except MediaError as error:
            _require_readable(path, row.sha256)
            raise ApiProblem(422, error.code, f"{row.filename}: {error}") from None


def _require_readable(path: Path, sha256: str) -> None:
    """Raise OSError if a refused file cannot be read: the disk failed, not the file."""
    if _sha256_of(path) != sha256:
        raise OSError(errno.EIO, os.strerror(errno.EIO), path.name)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inspect(
    path: Path, kind: MediaKind | None, depth: Depth, purpose: UploadPurpose | None = None
) -> MediaFacts:
    if kind is MediaKind.IMAGE:
        return probe_image(path)
    # Encoded sound is stored like segments.
    is_sound = kind is MediaKind.MUSIC or purpose is UploadPurpose.SEGMENT
    return probe_media(path, depth=depth, allow_audio_only=is_sound)
