"""Verify and upload a finished video with its companion files."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import av

from clipmill.ffmpeg.ebur128 import Loudness
from clipmill.protocol import (
    MediaKind,
    OutputAssignment,
    SpanName,
    UploadPurpose,
    UploadRequest,
)
from clipmill_client.errors import RetryableError
from clipmill_client.transfer import sha256_of
from clipmill_job.assembling import join
from clipmill_job.assembling.companion_files import create_companion_files
from clipmill_job.assembling.step_timer import StepTimer
from clipmill_job.task_context import TaskContext


def upload_output(
    context: TaskContext,
    output: OutputAssignment,
    video: Path,
    loudness: Loudness,
    timer: StepTimer,
) -> dict[str, str]:
    """Upload a video, and create and upload its companion files meanwhile.

    Returns:
        Media ids by field of `OutputResult`.

    Raises:
        RetryableError: The video does not have all frames, or an upload failed.
    """
    frames = sum(segment.frames for segment in output.segments)
    with ThreadPoolExecutor(2) as pool:
        verification = pool.submit(_verify, video, frames)
        digest = pool.submit(sha256_of, video)
        kind, upload = MediaKind.COMPILATION, context.spans.below_this(_upload)
        uploads = {"media_id": pool.submit(upload, context, output, video, kind, digest)}
        with timer.step("extras"):
            paths = create_companion_files(context, output, video, loudness, digest.result)
        for file, path in paths.items():
            uploads[file.field] = pool.submit(upload, context, output, path, file.kind)
        with timer.step("upload"):
            verification.result()
            return {field: future.result() for field, future in uploads.items()}


def _verify(video: Path, frames: int) -> None:
    """Raise RetryableError unless the file has so many frames."""
    try:
        actual = join.count_frames(video)
    except av.FFmpegError as error:
        raise RetryableError("BrokenOutput", f"{video.name}: {error}") from error
    if actual != frames:
        message = f"{video.name}: {actual} frames were joined instead of {frames}"
        raise RetryableError("BrokenOutput", message)


def _upload(
    context: TaskContext,
    output: OutputAssignment,
    path: Path,
    kind: MediaKind,
    digest: Future[str] | None = None,
) -> str:
    request = UploadRequest(
        purpose=UploadPurpose.OUTPUT,
        kind=kind,
        filename=path.name,
        size_bytes=path.stat().st_size,
        sha256=digest.result() if digest else sha256_of(path),
        output=output.name,
        index=context.assignment.index,
        epoch=context.assignment.epoch,
    )
    with context.spans.span(SpanName.UPLOAD, path.name):
        return str(context.client.upload(path, request).media_id)
