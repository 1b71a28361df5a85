"""Which links lead to pages of videos: those of the sites that yt-dlp knows by their addresses."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _extractors() -> tuple[Any, ...]:
    from yt_dlp.extractor import gen_extractor_classes  # noqa: PLC0415  takes a second

    # The generic extractor takes every page.
    return tuple(kind for kind in gen_extractor_classes() if kind.ie_key() != "Generic")


@lru_cache(maxsize=1024)
def is_known_page(url: str) -> bool:
    """Return whether yt-dlp has an extractor for this address."""
    try:
        return any(extractor.suitable(url) for extractor in _extractors())
    except ValueError:
        return False  # No URL.
