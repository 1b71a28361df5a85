"""What yt-dlp's info dict says of a source: title, people, game and date.

Everything in it was written by strangers: each text becomes one line of bounded length.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from clipmill.protocol import SourceMetadata
from clipmill.spec.base import MAX_TITLE_CHARS


def source_metadata(info: Mapping[str, Any]) -> SourceMetadata:
    """Return the metadata of an info dict. Fields of an unexpected type count for nothing."""
    if info.get("direct") and info.get("title") == info.get("id"):
        return SourceMetadata()  # A plain file: yt-dlp makes up its title from the URL.
    creators, categories = info.get("creators"), info.get("categories")
    # Twitch's only category is the game; elsewhere categories are Gaming, Music and the like.
    is_twitch = str(info.get("extractor_key", "")).startswith("Twitch")
    return SourceMetadata(
        title=_line(info.get("title")),
        creator=_line(info.get("uploader")),
        broadcaster=_line(info.get("channel")) or _line(_first(creators)),
        game=_line(_first(categories)) if is_twitch else None,
        published=_published(info),
    )


def _first(values: object) -> object:
    return values[0] if isinstance(values, list) and values else None


def _line(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    # Lone surrogates cannot be sent, and line breaks of all kinds are spaces.
    words = text.encode(errors="replace").decode().split()
    return " ".join(words)[:MAX_TITLE_CHARS].strip() or None


def _published(info: Mapping[str, Any]) -> date | None:
    timestamp, day = info.get("timestamp"), info.get("upload_date")
    try:
        if isinstance(timestamp, int | float):
            return datetime.fromtimestamp(timestamp, UTC).date()
        return datetime.strptime(day, "%Y%m%d").date() if isinstance(day, str) else None
    except (ValueError, OverflowError, OSError):
        return None
