"""The downloader's own process: yt-dlp behind the egress guard.

In: a JSON object on stdin (see `fetch_task`). Out: lines of JSON on stdout, {"source": {...}} once,
{"bytes": n} and {"note": ...} as it goes, then {"files": [{path, and of an excerpt clip_id, at_us
and rest_us}]} or {"error": {code, message, permanent}}.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError
from yt_dlp.utils import ExtractorError, UnsupportedError, YoutubeDLError
from yt_dlp.version import __version__ as ytdlp_version

from clipmill_job.excerpting.excerpt_download import ExcerptingYoutubeDL
from clipmill_job.fetching.egress_guard import EgressGuard, install
from clipmill_job.fetching.source_metadata import source_metadata
from clipmill_job.fetching.ytdlp_age import ytdlp_age

# HTTP statuses that a retry does not change.
PERMANENT_STATUSES = frozenset({401, 403, 404, 405, 410, 451})
# The only sign by which yt-dlp reports a file of 0 bytes.
NO_BYTES = "Did not get any data blocks"
# Merging video and audio writes both beside the result, and yt-dlp keeps small files of its own.
SLACK_BYTES = 64 * 1024 * 1024


class SourceTooLarge(Exception):
    """The source has more bytes than the request allows."""


def main() -> int:
    """Read the request, download the source and write the result."""
    request: dict[str, Any] = json.load(sys.stdin)
    limit_bytes = 2 * int(request["limit_bytes"]) + SLACK_BYTES
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    guard = install(
        EgressGuard(
            request["private"],
            proxy=request["proxy_address"],
            private_proxies=request["private_proxies"],
        )
    )
    compat_opts = _trust(request)
    try:
        _write_line(files=_download(request, compat_opts))
    except SourceTooLarge:
        limit = f"the limit of {request['limit_bytes']} bytes"
        _write_line(error=_error("TooLarge", f"the source exceeds {limit}", permanent=True))
    except (YoutubeDLError, OSError) as error:
        _write_line(error=describe_error(error, guard))
    return 0


def _write_line(**content: Any) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def _trust(request: dict[str, Any]) -> set[str]:
    """Make yt-dlp verify certificates by the CAs of the request, if it has any, and no others.

    Returns:
        yt-dlp's option for it.
    """
    if not request["authorities"]:
        return set()
    path = Path(request["folder"]).with_name("authorities.pem")
    path.write_text(request["authorities"])
    os.environ["SSL_CERT_FILE"] = str(path)
    return {"no-certifi"}


def _download(request: dict[str, Any], compat_opts: set[str]) -> list[dict[str, Any]]:
    folder, progress = Path(request["folder"]), _Progress(request["limit_bytes"])
    with ExcerptingYoutubeDL(
        ytdlp_options(request, folder, progress) | {"compat_opts": compat_opts},
        request,
        on_bytes=progress.add,
        on_note=lambda note: _write_line(note=note),
        on_source=progress.describe,
    ) as downloader:
        downloader.download([request["url"]])
        excerpts: list[dict[str, Any]] = downloader.excerpts
    if excerpts:
        return excerpts
    files = [path for path in folder.iterdir() if path.suffix not in (".part", ".ytdl")]
    if not files:
        # yt-dlp ends without an error when the announced size exceeds max_filesize.
        raise SourceTooLarge
    return [{"path": str(max(files, key=lambda path: path.stat().st_size))}]


class _Progress:
    """Writes how many bytes were fetched, and once what the source says of itself."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes, self._bytes, self._is_described = limit_bytes, 0, False

    def on_progress(self, status: dict[str, Any]) -> None:
        """Take a report of yt-dlp. Raise SourceTooLarge."""
        if status.get("info_dict"):
            self.describe(status["info_dict"])
        self._report(int(status.get("downloaded_bytes") or 0))

    def describe(self, info: dict[str, Any]) -> None:
        """Write the metadata of the source."""
        if not self._is_described:
            self._is_described = True
            _write_line(source=source_metadata(info))

    def add(self, count: int) -> None:
        """Take bytes of an excerpt. Raise SourceTooLarge."""
        self._bytes += count
        self._report(self._bytes)

    def _report(self, downloaded: int) -> None:
        if downloaded > self._limit_bytes:
            raise SourceTooLarge
        _write_line(bytes=downloaded)


def ytdlp_options(
    request: dict[str, Any], folder: Path, progress: _Progress | None = None
) -> dict[str, Any]:
    """Return yt-dlp's options: one video, no playlist, no cache, no configuration file."""
    progress = progress or _Progress(request["limit_bytes"])
    return {
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _NullLogger(),
        "progress_hooks": [progress.on_progress],
        "outtmpl": {"default": str(folder / "clip.%(ext)s")},
        "format": "b[ext=mp4]/bv*[ext=mp4]+ba[ext=m4a]/b/bv*+ba",
        "format_sort": ["vcodec:h264", "res:1080", "ext"],
        "merge_output_format": "mp4",
        "ffmpeg_location": request["ffmpeg"],
        "js_runtimes": {"quickjs": {"path": request["javascript"]}},
        "remote_components": (),
        "noplaylist": True,
        "playlist_items": "1",
        "max_filesize": request["limit_bytes"],
        "cachedir": False,
        "retries": 3,
        "fragment_retries": 3,
        "socket_timeout": 20,
        "hls_prefer_native": True,
        "external_downloader": {"default": "native"},
        "proxy": request["proxy"],
        # In memory: yt-dlp writes changed cookies back to where they are from.
        "cookiefile": io.StringIO(request["cookies"]) if request["cookies"] else None,
        "updatetime": False,
        "nopart": False,
    }


class _NullLogger:
    """Discards yt-dlp's log: its errors are reported as the result."""

    def debug(self, _: str) -> None: ...
    def info(self, _: str) -> None: ...
    def warning(self, _: str) -> None: ...
    def error(self, _: str) -> None: ...


def describe_error(error: Exception, guard: EgressGuard) -> dict[str, Any]:
    """Return code, message and permanence of a failed download."""
    if guard.refused:
        return _error("ForbiddenURL", guard.refused, permanent=True)
    cause, text = _cause(error), _text(error)
    if isinstance(cause, HTTPError):
        gone = cause.status in PERMANENT_STATUSES
        message = f"the source responded {cause.status} {cause.reason}"
        return _error("SourceGone" if gone else "SourceFailed", message, permanent=gone)
    if isinstance(cause, UnsupportedError):
        return _error("UnsupportedURL", text, permanent=True)
    if NO_BYTES in text:
        return _error("Empty", "the source is empty (0 bytes)", permanent=True)
    malformed = isinstance(cause, RequestError) and not isinstance(cause, TransportError)
    if malformed or (isinstance(cause, ExtractorError) and cause.expected):
        return _error("SourceRefused", text, permanent=True)
    if isinstance(cause, ExtractorError):
        text = f"{text} ({ytdlp_age(ytdlp_version, datetime.now(UTC).date())})"
    return _error("SourceFailed", text, permanent=False)


def _cause(error: BaseException) -> BaseException:
    """Return the error that yt-dlp's exceptions wrap."""
    is_specific = isinstance(error, RequestError | UnsupportedError)
    info = getattr(error, "exc_info", None)
    inner = getattr(error, "cause", None) or (info[1] if info else None)
    if is_specific or not isinstance(inner, BaseException) or inner is error:
        return error
    return _cause(inner)


def _text(error: Exception) -> str:
    text = " ".join(str(error).split()).removeprefix("ERROR: ")
    return text.split("; please report this issue", maxsplit=1)[0][:400]


def _error(code: str, message: str, *, permanent: bool) -> dict[str, Any]:
    return {"code": code, "message": message, "permanent": permanent}


if __name__ == "__main__":
    sys.exit(main())
