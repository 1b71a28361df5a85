"""The request that announces the upload of a rendered segment."""

from __future__ import annotations

from pathlib import Path

from clipmill.protocol import Assignment, Segment, UploadPurpose, UploadRequest
from clipmill_client.transfer import sha256_of


def segment_upload(
    assignment: Assignment, segment: Segment, path: Path, *, replaces: str | None = None
) -> UploadRequest:
    """Return the request that announces the upload of a rendered segment.

    Args:
        assignment: The task's.
        segment: What was rendered.
        path: Its file.
        replaces: SHA-256 of the stored segment that it replaces.
    """
    return UploadRequest(
        purpose=UploadPurpose.SEGMENT,
        filename=f"{segment.key}.mov",
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        segment_key=segment.key,
        replaces=replaces,
        index=assignment.index,
        epoch=assignment.epoch,
    )
