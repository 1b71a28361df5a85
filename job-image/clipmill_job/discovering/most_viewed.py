"""Get around the limit of about 1,000 results of a query by dividing its window of time.

A query returns clips by falling views and ends at the limit. So no clip that it left out has more
views than the last one that it returned: a window is divided only while such a clip could still
be among those with the most views.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from clipmill_job.discovering.helix import HelixClip

# The API rounds the times of a query to whole multiples of this.
GRAIN = timedelta(minutes=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowClips:
    """The clips of a window; `floor` is the number of views that no clip left out exceeds."""

    clips: list[HelixClip]
    floor: int | None = None


ReadWindow = Callable[[Window], WindowClips]
Accept = Callable[[HelixClip], bool]


def rounded(window: Window) -> Window:
    """Return the smallest window of whole grains that holds a window."""
    start, end = window
    return start - (start - _EPOCH) % GRAIN, end + (_EPOCH - end) % GRAIN


def halves(window: Window) -> tuple[Window, ...]:
    """Return the two halves of a window of whole grains, or nothing if it is a single one."""
    start, end = window
    grains = (end - start) // GRAIN
    if grains < 2:
        return ()
    middle = start + (grains // 2) * GRAIN
    return (start, middle), (middle, end)


def most_viewed(
    read: ReadWindow, whole: Window, *, most: int, accept: Accept
) -> Iterator[list[HelixClip]]:
    """Yield accepted clips of a window, a list per query; the `most` with most views are in them.

    Args:
        read: Queries a window of whole grains.
        whole: The window of all clips.
        most: How many clips are enough.
        accept: Whether a clip counts.
    """
    views: dict[str, int] = {}
    incomplete: list[tuple[int, Window]] = []
    pending: tuple[Window, ...] = (rounded(whole),)
    while pending:
        for window in pending:
            result = read(window)
            fresh = {c.id: c for c in result.clips if c.id not in views and accept(c)}
            views |= {clip.id: clip.view_count for clip in fresh.values()}
            yield list(fresh.values())
            if result.floor is not None and halves(window):
                heapq.heappush(incomplete, (-result.floor, window))
        pending = ()
        if incomplete and _count_from(views, -incomplete[0][0]) < most:
            pending = halves(heapq.heappop(incomplete)[1])


def _count_from(views: dict[str, int], floor: int) -> int:
    return sum(number >= floor for number in views.values())
