"""One clip: fetched by yt-dlp in a guarded process, judged by what lies on the disk, sent up."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from clipmill.ffmpeg.segment_args import still_args
from clipmill.protocol import (
    Assignment,
    FetchAssignment,
    MediaFacts,
    MediaKind,
    UploadPurpose,
    UploadRequest,
)
from clipmill.spec.source_urls import ForbiddenURL, check_url
from clipmill_client.client import Client
from clipmill_client.transfer import sha256_of
from clipmill_job import ffmpeg_binary, subprocesses
from clipmill_job.assembling import stills
from clipmill_job.errors import GiveUp, JobError, TryAgain
from clipmill_job.fetching import javascript
from clipmill_job.heartbeats import Beat
from clipmill_probe import MediaError, check

COMMAND = (sys.executable, "-I", "-m", "clipmill_job.fetching.downloader")
STILL_S = 60.0
SAID_BYTES = 1_000_000


def fetch(client: Client, order: Assignment, beat: Beat, scratch: Path) -> None:
    """Do a fetch part. An order without a clip is settled already."""
    wish = order.fetch
    if wish is None:
        return
    _allowed(wish)
    beat.progress(1, f"fetching {wish.name}")
    path = _download(wish, beat, scratch)
    facts = _judged(path, wish)
    beat.progress(80, f"{wish.name}: {path.stat().st_size / 1e6:.1f} MB, sending it up")
    still = _still(facts, path, beat, scratch / f"{wish.name}.jpg")
    # The picture first: with the clip itself the part is done.
    client.upload(still, _announcement(order, wish, still, MediaKind.THUMBNAIL))
    client.upload(path, _announcement(order, wish, path, MediaKind.CLIP))


def _still(facts: MediaFacts, path: Path, beat: Beat, out: Path) -> Path:
    """A picture of the clip; a foreign file is opened by ffmpeg behind its fence, not by us."""
    at_s = min(stills.THUMBNAIL_S, facts.duration_us / 2e6)
    width = stills.THUMBNAIL_WIDTH
    args = still_args(facts.format, str(path), str(out), at_s=at_s, width=width)
    try:
        subprocesses.run(
            (ffmpeg_binary.ffmpeg(), *args),
            deadline_s=STILL_S,
            stopped=beat.check,
            scratch=out.parent,
        )
    except (subprocesses.ProcessFailed, subprocesses.DeadlinePassed) as error:
        raise GiveUp("Damaged", f"no picture of it can be made: {error}") from error
    return out


def _announcement(
    order: Assignment, wish: FetchAssignment, path: Path, kind: MediaKind
) -> UploadRequest:
    return UploadRequest(
        purpose=UploadPurpose.CLIP,
        kind=kind,
        filename=f"{wish.name}{path.suffix}",
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        clip_id=wish.clip_id,
        index=order.index,
        epoch=order.epoch,
    )


def _allowed(wish: FetchAssignment) -> None:
    """The API looked before; a job does not trust that. Raises GiveUp."""
    try:
        check_url(
            wish.url,
            hosts=wish.allowed_hosts,
            any_host=wish.allow_any_host,
            private=wish.allowed_private,
        )
    except ForbiddenURL as error:
        raise GiveUp("ForbiddenURL", str(error)) from None


def _download(wish: FetchAssignment, beat: Beat, scratch: Path) -> Path:
    folder = scratch / "download"
    folder.mkdir()
    asked = {
        "url": wish.url,
        "folder": str(folder),
        "limit_bytes": wish.limit_bytes,
        "private": wish.allowed_private,
        "ffmpeg": ffmpeg_binary.ffmpeg(),
        "javascript": javascript.interpreter(scratch),
    }
    words: dict[str, Any] = {}

    def heard(line: str) -> None:
        if line.startswith("{"):
            words.update(json.loads(line))
            beat.progress(min(75.0, int(words.get("bytes", 0)) / SAID_BYTES))

    try:
        subprocesses.run(
            COMMAND,
            deadline_s=wish.limit_s,
            stopped=beat.check,
            scratch=scratch,
            stdin=json.dumps(asked).encode(),
            on_line=heard,
        )
    except subprocesses.DeadlinePassed:
        message = f"not fetched within {wish.limit_s} s: the source is too slow or never ends"
        raise GiveUp("TooSlow", message) from None
    except subprocesses.ProcessFailed as error:
        raise TryAgain("DownloaderFailed", str(error)) from error
    return _path(words)


def _path(words: dict[str, Any]) -> Path:
    error = words.get("error")
    if error:
        kind: type[JobError] = GiveUp if error["permanent"] else TryAgain
        raise kind(error["code"], error["message"])
    if "path" not in words:
        raise TryAgain("DownloaderFailed", "the downloader ended without a verdict")
    return Path(words["path"])


def _judged(path: Path, wish: FetchAssignment) -> MediaFacts:
    """The file on the disk is not too large and a whole video. Raises GiveUp.

    Packets only: the API decodes every frame once, when it takes the file.
    """
    size = path.stat().st_size
    if size > wish.limit_bytes:
        message = f"{size} bytes came, but only {wish.limit_bytes} are allowed"
        raise GiveUp("TooLarge", message)
    try:
        return check(path, full=False)
    except MediaError as error:
        raise GiveUp(error.code, str(error).replace(path.name, wish.name, 1)) from None
