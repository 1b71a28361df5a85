"""Playing the pods: what a fetch and an assemble job tell the API."""

from __future__ import annotations

import uuid
from pathlib import Path

from clipmill.protocol import MediaKind, OutputResult, Result, UploadPurpose, UploadRequest
from clipmill_client.client import Client
from clipmill_client.transfer import sha256_of

URL = "https://clips.example.com/{}.mp4"


def url() -> str:
    """A clip nobody else has fetched."""
    return URL.format(uuid.uuid4().hex)


def announcement(path: Path, purpose: UploadPurpose, **more: object) -> UploadRequest:
    """The announcement of a file."""
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
    """Play a fetch pod that found this file."""
    order = job.order(index, f"pod-{index}")
    assert order.fetch is not None
    clip_id = order.fetch.clip_id
    job.upload(
        path,
        announcement(path, UploadPurpose.CLIP, clip_id=clip_id, index=index, epoch=order.epoch),
    )


def assemble(job: Client, path: Path) -> Result:
    """Play an assemble pod that made this file: the result it reports."""
    order = job.order(0, "pod-a")
    outputs = []
    for output in order.assemble or []:
        up = job.upload(
            path,
            announcement(
                path,
                UploadPurpose.OUTPUT,
                output=output.name,
                kind=MediaKind.COMPILATION,
                epoch=order.epoch,
            ),
        )
        outputs.append(
            OutputResult(name=output.name, media_id=str(up.media_id), frames=1, duration_us=1)
        )
    result = Result(index=0, epoch=order.epoch, outputs=outputs)
    job.result(result)
    return result
