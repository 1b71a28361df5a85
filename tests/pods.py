"""Play pods: the API calls of a fetch and an assemble task."""

from __future__ import annotations

import uuid
from pathlib import Path

from clipmill.protocol import MediaKind, OutputResult, TaskResult, UploadPurpose, UploadRequest
from clipmill_client.client import Client
from clipmill_client.transfer import sha256_of

URL = "https://clips.example.com/{}.mp4"


def url() -> str:
    """Return the URL of a clip that was never fetched."""
    return URL.format(uuid.uuid4().hex)


def announcement(path: Path, purpose: UploadPurpose, **more: object) -> UploadRequest:
    """Return the upload request of a file."""
    return UploadRequest.model_validate(
        {
            "purpose": purpose,
            "filename": path.name,
            "size_bytes": path.stat().st_size,
            "sha256": sha256_of(path),
            **more,
        }
    )


def fetch(job: Client, index: int, path: Path) -> None:
    """Play a pod of the fetch stage that fetched this file for the next clip."""
    assignment = job.claim(index, f"pod-{index}")
    assert assignment.fetch is not None
    task = {"index": assignment.index, "epoch": assignment.epoch}
    clip_id = assignment.fetch.clip_id
    job.upload(path, announcement(path, UploadPurpose.CLIP, clip_id=clip_id, **task))


def upload_outputs(job: Client, path: Path, holder: str = "pod-a") -> TaskResult:
    """Play an assemble task that rendered this file, up to the result that it would report."""
    assignment = job.claim(0, holder)
    outputs = []
    for output in assignment.assemble or []:
        request = announcement(
            path,
            UploadPurpose.OUTPUT,
            output=output.name,
            kind=MediaKind.COMPILATION,
            epoch=assignment.epoch,
        )
        media_id = str(job.upload(path, request).media_id)
        outputs.append(OutputResult(name=output.name, media_id=media_id, frames=1, duration_us=1))
    return TaskResult(index=0, epoch=assignment.epoch, outputs=outputs)


def assemble(job: Client, path: Path) -> TaskResult:
    """Play an assemble task that rendered this file. Return the result that it reports."""
    result = upload_outputs(job, path)
    job.result(result)
    return result
