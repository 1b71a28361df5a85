"""Chapters, credits and storyboard cues of a record."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipmill.artifacts.chapters import build_chapters, chapter_warning, chapters_text
from clipmill.artifacts.credit_list import credits_of, credits_text
from clipmill.artifacts.plain_text import timestamp
from clipmill.artifacts.storyboard import build_grid, storyboard_vtt
from clipmill.protocol.result_record import MusicTrack, PlayedItem, ResultRecord

RATE = 30


def _record(*items: tuple[str, float], **more: Any) -> ResultRecord:
    """Return a record of items with these kinds and lengths in seconds."""
    played, at = [], 0
    for i, (kind, seconds) in enumerate(items):
        frames = round(seconds * RATE)
        fields = {"kind": kind, "name": f"c{i}", "sha256": f"{i}", "at": at, "start": 0}
        played.append(PlayedItem.model_validate({**fields, "frames": frames}))
        at += frames
    return ResultRecord(rate=RATE, frames=at, items=played, **more)


CHAPTERS = [
    ((("clip", 2), ("clip", 3)), [("c0", 0, 2), ("c1", 2, 3)]),
    ((("intro", 1), ("clip", 2), ("outro", 1)), [("Intro", 0, 1), ("c1", 1, 2), ("Outro", 3, 1)]),
    ((("bumper", 1), ("clip", 2), ("bumper", 1)), [("c1", 0, 4)]),
    ((("clip", 2), ("transition", 1), ("clip", 3)), [("c0", 0, 3), ("c2", 3, 3)]),
    ((), []),
]


@pytest.mark.parametrize(("items", "expected"), CHAPTERS)
def test_chapters(items: Any, expected: list[tuple[str, int, int]]) -> None:
    """Chapters have no gaps; what plays between two clips belongs to the first."""
    chapters = build_chapters(_record(*items))
    assert [(c.title, c.at // RATE, c.frames // RATE) for c in chapters] == expected


NOTES = [
    ((12, 12, 12), None),
    ((12, 12), "chapters: YouTube shows them from 3 on, and there are 2"),
    ((12, 4, 12), "chapters: YouTube shows them when each is at least 10s: c1 is 4.00s long"),
    ((1, 4, 12), "c0 is 1.00s long, and 1 more are too short"),
]


@pytest.mark.parametrize(("lengths", "warning"), NOTES)
def test_youtubes_rules(lengths: tuple[int, ...], warning: str | None) -> None:
    """YouTube needs three chapters of ten seconds; the note names the first short one."""
    note = chapter_warning(build_chapters(_record(*(("clip", length) for length in lengths))), RATE)
    assert note is None if warning is None else warning in str(note)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.99, "0:59"), (61, "1:01"), (3661, "1:01:01")]
)
def test_timestamp(seconds: float, shown: str) -> None:
    """Seconds are rounded down, so that a chapter does not start before its timestamp."""
    assert timestamp(int(seconds * RATE), RATE) == shown


def test_timestamps_with_hours() -> None:
    """Chapters after an hour have timestamps with hours."""
    text = chapters_text(build_chapters(_record(("clip", 3599), ("clip", 2), ("clip", 1))), RATE)
    assert text == "0:00 c0\n59:59 c1\n1:00:01 c2\n"


def test_each_work_is_credited_once() -> None:
    """A clip that plays twice has one entry, a placeholder none; the music is last."""
    credit = {"creator": "Grace", "url": "https://example.org/1"}
    record = _record(("clip", 1), ("bumper", 1), ("clip", 1), ("clip", 1))
    clip, bumper, _, missing = record.items
    clip = clip.model_copy(update=credit)
    repeated = clip.model_copy(update={"at": 60, "start": 30})
    items = [clip, bumper, repeated, missing.model_copy(update={"sha256": ""})]
    track = MusicTrack(media_id="m-track", sha256="7", artist="Ada", at=0, frames=9)
    record = record.model_copy(update={"items": items, "music": track, "title": "A\nB"})
    assert [(c.kind, c.by) for c in credits_of(record)] == [("clip", "Grace"), ("music", "Ada")]
    assert credits_text(record) == (
        "A B\n\n1. c0 by Grace\n   https://example.org/1\n\nMusic: m-track by Ada\n"
    )


@given(st.integers(1, 400_000), st.sampled_from([24, 25, 30, 50, 60, 120]))
def test_tiles_cover_every_frame_once(frames: int, rate: int) -> None:
    """Tiles have no gaps, and each shows a frame of its own span, for any length."""
    grid = build_grid(frames, rate, (1920, 1080))
    spans = [grid.span(i) for i in range(grid.tiles)]
    assert (spans[0][0], spans[-1][1]) == (0, frames)
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert all(start <= grid.shown(i) < end for i, (start, end) in enumerate(spans))
    width, height = grid.size
    corners = [grid.corner(i) for i in range(grid.tiles)]
    assert all(x + 320 < width and y + 180 < height for x, y in corners)
    assert len(set(corners)) == grid.tiles <= 36


def test_cues_name_the_picture_as_a_url() -> None:
    """Times have hours, and a blank in the name is escaped."""
    text = storyboard_vtt(build_grid(30 * 3700, 30, (1080, 1920)), "my cut.png")
    cues = re.findall(r"(\S+) --> (\S+)\n(\S+)\n", text)
    assert len(cues) == 36
    assert cues[-1][1] == "01:01:40.000"
    assert cues[0][2] == "my%20cut.png#xywh=4,4,320,569"
