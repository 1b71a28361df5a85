"""Read what yt-dlp lists: a channel, a playlist, a search."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from yt_dlp import YoutubeDL
from yt_dlp.utils import YoutubeDLError

from clipmill.shows.candidates import ClipCandidate
from clipmill.spec.source_urls import ForbiddenURL, check_url
from clipmill_job.discovering.candidate_fields import (
    NAME_CHARS,
    TITLE_CHARS,
    candidate,
    count,
    line,
    milliseconds,
    moment,
)
from clipmill_job.discovering.source_errors import SourceError
from clipmill_job.discovering.source_reader import ReaderTools, SourceNote, SourceTask
from clipmill_job.fetching.downloader import describe_error, ytdlp_options

# A channel lists its tabs, and each of them its videos.
MAX_LISTS = 10
_LIST_KINDS = ("Tab", "Playlist", "Channel", "User")


def read(task: SourceTask, tools: ReaderTools) -> Iterator[ClipCandidate | SourceNote]:
    """Yield entries of a list; see `SourceReader`."""
    source, field = task.query.query.list, task.field("url")
    if source is None:
        return
    try:
        check_url(source.url, hosts=(), any_host=True, private=task.allowed_private)
        with YoutubeDL(_options(task, tools, source.most)) as lister:
            for entry in _entries(lister, source.url, tools):
                clip = _candidate(entry, task)
                if clip:
                    yield clip
    except ForbiddenURL as error:
        raise SourceError("ForbiddenURL", f"{field}: {error}") from None
    except (YoutubeDLError, OSError) as error:
        described = describe_error(error, tools.guard)
        raise SourceError(described["code"], f"{field}: {described['message']}") from None


def _options(task: SourceTask, tools: ReaderTools, most: int) -> dict[str, Any]:
    """Return yt-dlp's options: those of a download, but only the first entries of lists."""
    request = {
        "limit_bytes": 0,
        "ffmpeg": "/nonexistent",
        "javascript": task.javascript,
        "proxy": "",
        "cookies": "",
    }
    options = ytdlp_options(request, tools.folder)
    for name in ("noplaylist", "playlist_items", "max_filesize", "progress_hooks", "format"):
        options.pop(name, None)
    return options | {
        "extract_flat": "in_playlist",
        "lazy_playlist": True,
        "playlistend": most,
        "skip_download": True,
        "ignore_no_formats_error": True,
    }


def _entries(lister: YoutubeDL, url: str, tools: ReaderTools) -> Iterator[dict[str, Any]]:
    """Yield the entries of a list, and of the lists in it."""
    pending = [url]
    for _ in range(MAX_LISTS):
        if not pending:
            return
        tools.http.requests += 1
        info = lister.extract_info(pending.pop(0), download=False)
        if not isinstance(info, dict):
            continue
        for entry in info.get("entries", [info]):
            if isinstance(entry, dict) and _is_list(entry):
                pending.append(str(entry["url"]))
            elif isinstance(entry, dict):
                yield entry | {"address": _address(entry, info)}


def _address(entry: dict[str, Any], info: dict[str, Any]) -> Any:
    """Return the page of an entry, or its file if it is one of several on the list's own page."""
    page = entry.get("webpage_url") or entry.get("original_url")
    is_on_page = entry is not info and page == info.get("webpage_url")
    return entry.get("url") if is_on_page or not page else page


def _is_list(entry: dict[str, Any]) -> bool:
    kind = str(entry.get("ie_key") or "")
    return entry.get("_type") in ("url", "url_transparent") and kind.endswith(_LIST_KINDS)


def _candidate(entry: dict[str, Any], task: SourceTask) -> ClipCandidate | None:
    creator = entry.get("uploader") or entry.get("channel") or entry.get("creator")
    return candidate(
        entry["address"],
        source=task.query.source,
        private=task.allowed_private,
        title=line(entry.get("title"), TITLE_CHARS),
        creator=line(creator, NAME_CHARS),
        broadcaster=line(entry.get("channel"), NAME_CHARS),
        language=line(entry.get("language"), 10),
        views=count(entry.get("view_count")),
        duration_ms=milliseconds(entry.get("duration")),
        created_at=_created_at(entry),
    )


def _created_at(entry: dict[str, Any]) -> datetime | None:
    date = str(entry.get("upload_date") or "")
    return moment(entry.get("timestamp") or entry.get("release_timestamp")) or moment(
        f"{date[:4]}-{date[4:6]}-{date[6:]}" if len(date) == 8 else None
    )
