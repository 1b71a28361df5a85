"""Chapters of a result: one for each clip, for the file itself and as text for a description."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from clipmill.protocol.result_record import Chapter, ResultRecord, clock, one_line

LEAST = 3
LEAST_S = 10
"""What YouTube asks: the first at 0:00, at least three, each of at least ten seconds."""
NAMES = {"intro": "Intro", "outro": "Outro"}


def build_chapters(record: ResultRecord) -> list[Chapter]:
    """Intro, clips and outro; what stands between two clips belongs to the first of them."""
    titled = [
        (shot.at, NAMES.get(shot.kind) or shot.title or shot.name)
        for shot in record.items
        if shot.kind in ("intro", "clip", "outro")
    ]
    if not titled:
        return []
    starts = [0, *(at for at, _ in titled[1:]), record.frames]
    return [
        Chapter(title=title, at=start, frames=end - start)
        for (_, title), (start, end) in zip(titled, pairwise(starts), strict=True)
    ]


def chapters_text(found: Sequence[Chapter], rate: int) -> str:
    """A line for each chapter, as a description has them: `0:00 Title`."""
    return "".join(f"{clock(one.at, rate)} {one_line(one.title)}\n" for one in found)


def chapter_warning(found: Sequence[Chapter], rate: int) -> str | None:
    """Why YouTube will not show these chapters; None: it will."""
    if len(found) < LEAST:
        return f"chapters: YouTube shows them from {LEAST} on, and there are {len(found)}"
    short = [one for one in found if one.frames < LEAST_S * rate]
    if not short:
        return None
    first = f"{one_line(short[0].title)} is {short[0].frames / rate:.2f}s long"
    more = f", and {len(short) - 1} more are too short" if len(short) > 1 else ""
    return f"chapters: YouTube shows them when each is at least {LEAST_S}s: {first}{more}"
