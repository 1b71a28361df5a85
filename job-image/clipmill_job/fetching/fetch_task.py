"""The fetch task: download one clip in a guarded process, validate it, upload it."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from clipmill.artifacts.thumbnail import THUMBNAIL_S, THUMBNAIL_WIDTH
from clipmill.ffmpeg.thumbnail_args import thumbnail_args
from clipmill.protocol import (
    Excerpt,
    FetchAssignment,
    MediaFacts,
    MediaKind,
    SourceMetadata,
    SpanName,
    UploadPurpose,
    UploadRequest,
)
from clipmill.protocol.upload_messages import with_excerpt, with_source
from clipmill.spec.source_urls import ForbiddenURL, check_url
from clipmill.timeline.source_color import source_color
from clipmill.timeline.source_traits import source_traits
from clipmill_client.errors import PermanentError, RetryableError
from clipmill_client.transfer import sha256_of
from clipmill_job import subprocesses
from clipmill_job.fetching import fenced_ffmpeg, javascript, source_secrets
from clipmill_job.forked_process import ForkedProgram
from clipmill_job.task_context import TaskContext
from clipmill_probe import Depth, MediaError, probe_media
from clipmill_probe.children.child_server import PYTHON, ChildServer

DOWNLOADER = ForkedProgram(
    ChildServer("clipmill_job.fetching.downloader_process"),
    (*PYTHON, "clipmill_job.fetching.downloader"),
)
STILL_DEADLINE_S = 60.0
# The size of the file is not known in advance: each so many bytes count as a percent.
BYTES_PER_PERCENT = 1_000_000
MAX_DOWNLOAD_PERCENT = 75.0


class FetchedFile(NamedTuple):
    """A fetched file, the clip that it is for, and the part of the source that it holds."""

    path: Path
    clip_id: str
    excerpt: Excerpt | None


def run_fetch_task(context: TaskContext, clip: FetchAssignment) -> None:
    """Fetch a clip and upload it with a thumbnail.

    Raises:
        PermanentError: The URL is forbidden, the source refuses it, or the file is not usable.
        RetryableError: The source failed.
    """
    _check_url(clip)
    context.heartbeat.report(1, f"fetching {clip.name} with yt-dlp {version('yt-dlp')}")
    with context.spans.span(SpanName.FETCH, clip.name):
        files, source = _download(context, clip)
    # The task may end with the upload: the API takes no lines after it.
    context.heartbeat.flush()
    for number, fetched in enumerate(files):
        _upload(context, clip, fetched, source, number)


def _upload(
    context: TaskContext,
    clip: FetchAssignment,
    fetched: FetchedFile,
    source: SourceMetadata,
    number: int,
) -> None:
    """Upload a fetched file with a thumbnail of it."""
    path = fetched.path
    with context.spans.span(SpanName.PROBE, clip.name):
        facts = _validate(path, clip)
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    if fetched.excerpt:
        size += f", {facts.duration_us / 1e6:.0f} s from {fetched.excerpt.at_us / 1e6:.0f} s on"
    context.heartbeat.report(80, f"{clip.name}: uploading {size}")
    thumbnail = _thumbnail(context, facts, path, context.scratch / f"{clip.name}.{number}.jpg")
    clip = clip.model_copy(update={"clip_id": fetched.clip_id})
    # The thumbnail first: the upload of the last clip ends the task.
    for file, kind in ((thumbnail, MediaKind.THUMBNAIL), (path, MediaKind.CLIP)):
        request = _upload_request(context, clip, file, kind)
        if kind is MediaKind.CLIP:
            request = with_excerpt(with_source(request, source), fetched.excerpt)
        with context.spans.span(SpanName.UPLOAD, file.name):
            context.client.upload(file, request)


def _check_url(clip: FetchAssignment) -> None:
    # The API has checked the URL too; a job does not rely on that.
    try:
        check_url(
            clip.url,
            hosts=clip.allowed_hosts,
            any_host=clip.allow_any_host,
            private=clip.allowed_private,
        )
    except ForbiddenURL as error:
        raise PermanentError("ForbiddenURL", str(error)) from None


def _download(
    context: TaskContext, clip: FetchAssignment
) -> tuple[list[FetchedFile], SourceMetadata]:
    """Run the downloader; return the files that it has written, and what the source says of it."""
    reply: dict[str, Any] = {}
    hide_secrets = source_secrets.hider(clip.credentials)

    def on_line(line: str) -> None:
        if line.startswith("{"):
            reply.update(json.loads(line))
            if note := reply.pop("note", None):
                context.heartbeat.report(1, f"{clip.name}: {hide_secrets(note)}")
            percent = int(reply.get("bytes", 0)) / BYTES_PER_PERCENT
            context.heartbeat.report(min(MAX_DOWNLOAD_PERCENT, percent))

    try:
        subprocesses.run(
            DOWNLOADER,
            deadline_s=clip.limit_s,
            check_cancelled=context.heartbeat.check,
            scratch=context.scratch,
            stdin=json.dumps(_request(context, clip)).encode(),
            on_line=on_line,
        )
    except subprocesses.DeadlineExceeded:
        message = f"not fetched within {clip.limit_s} s: the source is too slow or never ends"
        raise PermanentError("TooSlow", message) from None
    except subprocesses.ProcessFailed as error:
        raise RetryableError("DownloaderFailed", hide_secrets(str(error))) from None
    files = [_fetched_file(each, clip) for each in _downloaded_files(reply, hide_secrets)]
    return files, SourceMetadata.model_validate(reply.get("source", {}))


def _request(context: TaskContext, clip: FetchAssignment) -> dict[str, Any]:
    folder = context.scratch / "download"
    folder.mkdir()
    return source_secrets.request_fields(clip.credentials) | {
        "url": clip.url,
        # Only of a file that the API itself serves, such as a sample.
        "authorities": context.client.connection.authorities_for(clip.url),
        "folder": str(folder),
        "limit_bytes": clip.limit_bytes,
        "private": clip.allowed_private,
        "spans": [span.model_dump() for span in clip.spans],
        "ffmpeg": fenced_ffmpeg.write_ffmpeg(context.scratch, context.ffmpeg.path),
        "javascript": javascript.write_interpreter(context.scratch),
    }


def _fetched_file(written: dict[str, Any], clip: FetchAssignment) -> FetchedFile:
    path = Path(written["path"])
    if "at_us" not in written:
        return FetchedFile(path, clip.clip_id, None)
    excerpt = Excerpt(at_us=written["at_us"], rest_us=written["rest_us"])
    return FetchedFile(path, written["clip_id"], excerpt)


def _downloaded_files(
    reply: dict[str, Any], hide_secrets: Callable[[str], str]
) -> list[dict[str, Any]]:
    error = reply.get("error")
    if error:
        kind = PermanentError if error["permanent"] else RetryableError
        raise kind(error["code"], hide_secrets(error["message"]))
    files: list[dict[str, Any]] = reply.get("files", [])
    if not files:
        raise RetryableError("DownloaderFailed", "the downloader ended without a result")
    return files


def _validate(path: Path, clip: FetchAssignment) -> MediaFacts:
    """Return the facts of a file that is not too large and a complete video.

    Only packets are read here: the API decodes every frame once, when the upload is complete.
    """
    size = path.stat().st_size
    if size > clip.limit_bytes:
        message = f"the file has {size} bytes; the limit is {clip.limit_bytes} bytes"
        raise PermanentError("TooLarge", message)
    try:
        return probe_media(path, depth=Depth.PACKETS)
    except MediaError as error:
        message = str(error).replace(path.name, clip.name, 1)
        raise PermanentError(error.code, message) from None


def _thumbnail(context: TaskContext, facts: MediaFacts, path: Path, out: Path) -> Path:
    # By ffmpeg with the limits for untrusted input, not in this process.
    # Of the pictures: the sound may go on after the last one.
    pictures_s = float(facts.frames / Fraction(facts.rate))
    at_s = min(THUMBNAIL_S, pictures_s / 2) if facts.frames > 1 else 0.0
    args = thumbnail_args(
        facts,
        str(path),
        color=source_color(facts),
        traits=source_traits(facts),
        at_s=at_s,
        width=THUMBNAIL_WIDTH,
    )
    try:
        subprocesses.run(
            (context.ffmpeg.path, *args, str(out)),
            deadline_s=STILL_DEADLINE_S,
            check_cancelled=context.heartbeat.check,
            scratch=out.parent,
        )
    except (subprocesses.ProcessFailed, subprocesses.DeadlineExceeded) as error:
        raise PermanentError("Damaged", f"no thumbnail can be rendered: {error}") from error
    return out


def _upload_request(
    context: TaskContext, clip: FetchAssignment, path: Path, kind: MediaKind
) -> UploadRequest:
    return UploadRequest(
        purpose=UploadPurpose.CLIP,
        kind=kind,
        filename=f"{clip.name}{path.suffix}",
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        clip_id=clip.clip_id,
        index=context.assignment.index,
        epoch=context.assignment.epoch,
    )
