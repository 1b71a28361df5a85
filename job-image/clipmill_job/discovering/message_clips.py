"""The clips of one Discord message: attached videos, and links in its text and its embeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from clipmill.shows.candidates import ClipCandidate
from clipmill_job.discovering.candidate_fields import (
    NAME_CHARS,
    TITLE_CHARS,
    candidate,
    count,
    is_video_file,
    line,
    moment,
)
from clipmill_job.discovering.known_pages import is_known_page
from clipmill_job.discovering.source_reader import SourceTask

# Without the marks that end a link in a sentence or in Markdown.
_LINK = re.compile(r"https?://[^\s<>\"'`|]{3,2000}", re.IGNORECASE)
_TRAILING = ".,;:!?)]}*_~"
MAX_LINKS = 50
Fields = dict[str, Any]


def reactions_of(message: dict[str, Any]) -> int:
    """Return the sum of all reactions to a message."""
    return sum(count(reaction.get("count")) or 0 for reaction in _dicts(message, "reactions"))


def clips_of_message(
    message: dict[str, Any], task: SourceTask, reactions: int
) -> Iterator[ClipCandidate]:
    """Yield the clips of a message, each once."""
    urls: set[str] = set()
    for url, fields in [*_attachments(message), *_links(message)]:
        clip = candidate(
            url,
            source=task.query.source,
            private=task.allowed_private,
            reactions=reactions,
            created_at=_written_at(message),
            **fields,
        )
        if clip and url not in urls:
            urls.add(url)
            yield clip


def _written_at(message: dict[str, Any]) -> datetime | None:
    return moment(message.get("timestamp"))


def _attachments(message: dict[str, Any]) -> Iterator[tuple[str, Fields]]:
    title = line(_LINK.sub(" ", str(message.get("content") or "")), TITLE_CHARS)
    for file in _dicts(message, "attachments"):
        url, kind = str(file.get("url", "")), str(file.get("content_type") or "")
        if kind.startswith("video/") or (not kind and is_video_file(url)):
            name = str(file.get("title") or file.get("filename") or "").rsplit(".", 1)[0]
            yield url, {"title": title or line(name, TITLE_CHARS), "creator": _author(message)}


def _author(message: dict[str, Any]) -> str | None:
    author = message.get("author")
    if not isinstance(author, dict):
        return None
    return line(author.get("global_name"), NAME_CHARS) or line(author.get("username"), NAME_CHARS)


def _links(message: dict[str, Any]) -> Iterator[tuple[str, Fields]]:
    """Yield links to video files, to pages that yt-dlp knows, and to embedded videos."""
    embeds = {str(embed.get("url")): embed for embed in _dicts(message, "embeds")}
    texts = _LINK.findall(str(message.get("content") or ""))[:MAX_LINKS]
    for url in dict.fromkeys([*(text.rstrip(_TRAILING) for text in texts), *embeds]):
        embed = embeds.get(url, {})
        if embed.get("type") == "video" or is_video_file(url) or is_known_page(url):
            # Whoever shares a link has not made the clip.
            yield (
                url,
                {
                    "title": line(embed.get("title"), TITLE_CHARS),
                    "creator": line((embed.get("author") or {}).get("name"), NAME_CHARS)
                    if isinstance(embed.get("author"), dict)
                    else None,
                },
            )


def _dicts(message: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = message.get(name)
    return (
        [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    )
