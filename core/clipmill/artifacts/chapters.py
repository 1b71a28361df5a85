"""List the chapters of a result, for the video file and as text for a description."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from clipmill.artifacts.plain_text import single_line, timestamp
from clipmill.protocol.result_record import Chapter, ResultRecord

# YouTube's rules: the first chapter at 0:00, at least three, each at least ten seconds long.
MIN_CHAPTERS = 3
MIN_CHAPTER_S = 10
TITLES = {"intro": "Intro", "outro": "Outro"}


def build_chapters(record: ResultRecord) -> list[Chapter]:
    """Return a chapter for intro, outro and each clip.

    Transition clips and bumpers belong to the chapter before them.
    """
    titled = [
        (item.at, TITLES.get(item.kind) or item.title or item.name)
        for item in record.items
        if item.kind in ("intro", "clip", "outro")
    ]
    if not titled:
        return []
    starts = [0, *(at for at, _ in titled[1:]), record.frames]
    return [
        Chapter(title=title, at=start, frames=end - start)
        for (_, title), (start, end) in zip(titled, pairwise(starts), strict=True)
    ]


def chapters_text(chapters: Sequence[Chapter], rate: int) -> str:
    """Return one line per chapter, such as `0:00 Title`."""
    return "".join(f"{timestamp(c.at, rate)} {single_line(c.title)}\n" for c in chapters)


def chapter_warning(chapters: Sequence[Chapter], rate: int) -> str | None:
    """Return why YouTube will not show these chapters, or None if it will."""
    if len(chapters) < MIN_CHAPTERS:
        return f"chapters: YouTube shows them from {MIN_CHAPTERS} on, and there are {len(chapters)}"
    short = [chapter for chapter in chapters if chapter.frames < MIN_CHAPTER_S * rate]
    if not short:
        return None
    first = f"{single_line(short[0].title)} is {short[0].frames / rate:.2f}s long"
    more = f", and {len(short) - 1} more are too short" if len(short) > 1 else ""
    return f"chapters: YouTube shows them when each is at least {MIN_CHAPTER_S}s: {first}{more}"
