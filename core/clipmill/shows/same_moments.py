"""Find candidates that show the same clip, or the same moment of a recording."""

from __future__ import annotations

from bisect import bisect_left, insort

from clipmill.shows.candidates import ClipCandidate
from clipmill.spec.source_urls import ForbiddenURL, clip_key


def candidate_key(candidate: ClipCandidate) -> str | None:
    """Return the key that is equal for all candidates of one clip; None if it names no clip."""
    if candidate.clip_key:
        return candidate.clip_key
    if candidate.media_id:
        return f"media:{candidate.media_id}"
    try:
        return clip_key(candidate.url) if candidate.url else None
    except ForbiddenURL:
        return None


class RecordedMoments:
    """Parts of recordings that do not overlap."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], list[tuple[int, int]]] = {}

    def add(self, candidate: ClipCandidate) -> bool:
        """Add the part that a candidate shows; return False if it overlaps one that was added.

        A candidate whose place in a recording is unknown overlaps nothing.
        """
        if not candidate.broadcaster or not candidate.vod_id or candidate.vod_offset_ms is None:
            return True
        recording = (candidate.broadcaster.casefold(), candidate.vod_id)
        # A clip of unknown length counts as a millisecond.
        part = (
            candidate.vod_offset_ms,
            candidate.vod_offset_ms + (candidate.duration_ms or 1),
        )
        parts = self._parts.setdefault(recording, [])
        place = bisect_left(parts, part)
        if any(_overlap(part, other) for other in parts[max(place - 1, 0) : place + 1]):
            return False
        insort(parts, part)
        return True


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
