"""Fit what a source says into the fields of a candidate: shorter texts, usable addresses."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from clipmill.shows.candidates import ClipCandidate
from clipmill.spec.source_urls import ForbiddenURL, check_url

TITLE_CHARS = 200
NAME_CHARS = 100
URL_CHARS = 2000
# The largest number of a field: a bigint column stores it, and every JSON reader keeps it.
MAX_COUNT = 2**53 - 1
_VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ts", ".flv", ".mpg", ".mpeg")


def line(text: Any, most: int) -> str | None:
    """Return a text as one line of at most `most` characters, or None if it is empty."""
    if not isinstance(text, str):
        return None
    # A lone surrogate, which JSON can hold, is no text of UTF-8.
    clean = re.sub(r"[\x00-\x20\x7f\ud800-\udfff]+", " ", text).strip()
    return clean[:most].rstrip() or None


def count(value: Any) -> int | None:
    """Return a whole number of 0 or more, or None."""
    number = _number(value)
    return None if number is None else min(int(number), MAX_COUNT)


def milliseconds(seconds: Any) -> int | None:
    """Return seconds as whole milliseconds, or None."""
    number = _number(seconds)
    return None if number is None else min(round(number * 1000), MAX_COUNT)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def moment(value: Any) -> datetime | None:
    """Return a time of RFC 3339 or a Unix time as a datetime in UTC, or None."""
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        return datetime.fromtimestamp(value, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def is_video_file(url: str) -> bool:
    """Return whether the path of a URL ends like the name of a video file."""
    try:
        return urlsplit(url).path.lower().endswith(_VIDEO_SUFFIXES)
    except ValueError:
        return False


def candidate(
    url: Any, *, source: int, private: Collection[str], **fields: Any
) -> ClipCandidate | None:
    """Return a candidate, or None if its URL cannot be fetched.

    Args:
        url: Page or file.
        source: Index of the source.
        private: Pairs of host:port that may be private addresses.
        fields: Further fields of the candidate, as the functions above return them.
    """
    if not isinstance(url, str) or len(url) > URL_CHARS:
        return None
    try:
        check_url(url, hosts=(), any_host=True, private=private)
    except ForbiddenURL:
        return None
    return ClipCandidate(url=url.strip(), source=source, **fields)
