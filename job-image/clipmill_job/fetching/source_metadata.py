"""What yt-dlp's info dict says of a source: title, people, game and date.

Everything in it was written by strangers: each text becomes one line of bounded length. Without the
models of the protocol, which take the downloader's process longer to load than to use.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

# The model cuts them further.
MAX_LINE_CHARS = 1000


def source_metadata(info: Mapping[str, Any]) -> dict[str, str]:
    """Return the metadata of an info dict. Fields of an unexpected type count for nothing.

    Returns:
        The fields of `SourceMetadata` that are known.
    """
    if info.get("direct") and info.get("title") == info.get("id"):
        return {}  # A plain file: yt-dlp makes up its title from the URL.
    creators, categories = info.get("creators"), info.get("categories")
    # Twitch's only category is the game; elsewhere categories are Gaming, Music and the like.
    is_twitch = str(info.get("extractor_key", "")).startswith("Twitch")
    fields = {
        "title": _line(info.get("title")),
        "creator": _line(info.get("uploader")),
        "broadcaster": _line(info.get("channel")) or _line(_first(creators)),
        "game": _line(_first(categories)) if is_twitch else None,
        "published": _published(info),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _first(values: object) -> object:
    return values[0] if isinstance(values, list) and values else None


def _line(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    # Lone surrogates cannot be sent, and line breaks of all kinds are spaces.
    words = text.encode(errors="replace").decode().split()
    return " ".join(words)[:MAX_LINE_CHARS].strip() or None


def _published(info: Mapping[str, Any]) -> str | None:
    """Return the date, as in ISO 8601."""
    timestamp, day = info.get("timestamp"), info.get("upload_date")
    try:
        if isinstance(timestamp, int | float):
            return datetime.fromtimestamp(timestamp, UTC).date().isoformat()
        if isinstance(day, str):
            return datetime.strptime(day, "%Y%m%d").date().isoformat()
    except (ValueError, OverflowError, OSError):
        pass
    return None
