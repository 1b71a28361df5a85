"""The downloader's own process: yt-dlp behind the guard. A wish on stdin, a verdict on stdout.

Lines of JSON: {"bytes": n} as it goes, then {"path": ...} or {"error": {code, message, permanent}}.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any, NoReturn

from yt_dlp import YoutubeDL
from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError
from yt_dlp.utils import ExtractorError, UnsupportedError, YoutubeDLError

from clipmill_job.fetching.egress_guard import Guard, install

GONE = frozenset({401, 403, 404, 405, 410, 451})
"""HTTP statuses that another try does not change."""
NO_BYTES = "Did not get any data blocks"
"""yt-dlp's only sign of a file of 0 bytes."""
SLACK_BYTES = 64 * 1024 * 1024
"""A merge of picture and sound writes both beside the result: room for its own files."""


class TooLarge(Exception):
    """More bytes came than may."""


def main() -> int:
    """Read the wish, fetch, tell."""
    wish: dict[str, Any] = json.load(sys.stdin)
    most = 2 * int(wish["limit_bytes"]) + SLACK_BYTES
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    guard = install(wish["private"])
    try:
        _say(path=_fetch(wish))
    except TooLarge:
        _say(error=_too_large(wish["limit_bytes"]))
    except (YoutubeDLError, OSError) as error:
        _say(error=verdict(error, guard))
    return 0


def _say(**words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _fetch(wish: dict[str, Any]) -> str:
    folder = Path(wish["folder"])
    with YoutubeDL(options(wish, folder)) as downloader:
        downloader.download([wish["url"]])
    files = [path for path in folder.iterdir() if path.suffix not in (".part", ".ytdl")]
    if not files:
        raise TooLarge  # yt-dlp leaves without a word when max_filesize is announced to be passed
    return str(max(files, key=lambda path: path.stat().st_size))


def options(wish: dict[str, Any], folder: Path) -> dict[str, Any]:
    """yt-dlp's options: one video, no playlist, no cache, no configuration, no file of its own."""

    def progress(news: dict[str, Any]) -> None:
        done = int(news.get("downloaded_bytes") or 0)
        if done > wish["limit_bytes"]:
            raise TooLarge
        _say(bytes=done)

    return {
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": _Silent(),
        "progress_hooks": [progress],
        "outtmpl": {"default": str(folder / "clip.%(ext)s")},
        "format": "b[ext=mp4]/bv*[ext=mp4]+ba[ext=m4a]/b/bv*+ba",
        "format_sort": ["vcodec:h264", "res:1080", "ext"],
        "merge_output_format": "mp4",
        "ffmpeg_location": wish["ffmpeg"],
        "js_runtimes": {"quickjs": {"path": wish["javascript"]}},
        "remote_components": (),
        "noplaylist": True,
        "playlist_items": "1",
        "max_filesize": wish["limit_bytes"],
        "cachedir": False,
        "retries": 3,
        "fragment_retries": 3,
        "socket_timeout": 20,
        "hls_prefer_native": True,
        "external_downloader": {"default": "native"},
        "proxy": "",
        "updatetime": False,
        "nopart": False,
    }


class _Silent:
    """yt-dlp's words are told as a verdict, not printed."""

    def debug(self, _: str) -> None: ...
    def info(self, _: str) -> None: ...
    def warning(self, _: str) -> None: ...
    def error(self, _: str) -> None: ...


def verdict(error: Exception, guard: Guard) -> dict[str, Any]:
    """What went wrong, and whether another try may help."""
    if guard.refused:
        return _error("ForbiddenURL", guard.refused, permanent=True)
    cause = _cause(error)
    said = _said(error)
    if isinstance(cause, HTTPError):
        gone = cause.status in GONE
        code = "SourceGone" if gone else "SourceFailed"
        return _error(code, f"the source answered {cause.status} {cause.reason}", permanent=gone)
    if isinstance(cause, UnsupportedError):
        return _error("UnsupportedURL", said, permanent=True)
    if NO_BYTES in said:
        return _error("Empty", "the source is a file of 0 bytes", permanent=True)
    malformed = isinstance(cause, RequestError) and not isinstance(cause, TransportError)
    if malformed or (isinstance(cause, ExtractorError) and cause.expected):
        return _error("SourceRefused", said, permanent=True)
    return _error("SourceFailed", said, permanent=False)


def _cause(error: BaseException) -> BaseException:
    """The first error of a chain that says what happened, through yt-dlp's wrappers."""
    tells_all = isinstance(error, RequestError | UnsupportedError)
    info = getattr(error, "exc_info", None)
    inner = getattr(error, "cause", None) or (info[1] if info else None)
    if tells_all or not isinstance(inner, BaseException) or inner is error:
        return error
    return _cause(inner)


def _said(error: Exception) -> str:
    words = " ".join(str(error).split()).removeprefix("ERROR: ")
    return words.split("; please report this issue", maxsplit=1)[0][:400]


def _too_large(limit: int) -> dict[str, Any]:
    return _error("TooLarge", f"the source is larger than the {limit} bytes allowed", True)


def _error(code: str, message: str, permanent: bool) -> dict[str, Any]:
    return {"code": code, "message": message, "permanent": permanent}


def _entry() -> NoReturn:
    sys.exit(main())


if __name__ == "__main__":
    _entry()
