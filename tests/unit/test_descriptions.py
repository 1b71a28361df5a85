"""Chapters, credits and storyboard cues, from a record alone."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipmill.artifacts.chapters import build_chapters, chapters_text, chapter_warning
from clipmill.artifacts.credit_list import credits_of, credits_text
from clipmill.artifacts.storyboard import build_grid, storyboard_vtt
from clipmill.artifacts.plain_text import timestamp
from clipmill.protocol.result_record import MusicTrack, PlayedItem, ResultRecord

RATE = 30


def _record(*shots: tuple[str, float], **more: Any) -> ResultRecord:
    """Shots of a kind and a length in seconds, one after the other."""
    played, at = [], 0
    for i, (kind, seconds) in enumerate(shots):
        frames = round(seconds * RATE)
        known = {"kind": kind, "name": f"c{i}", "sha256": f"{i}", "at": at, "start": 0}
        played.append(PlayedItem.model_validate({**known, "frames": frames}))
        at += frames
    return ResultRecord(rate=RATE, frames=at, items=played, **more)


CHAPTERS = [
    ((("clip", 2), ("clip", 3)), [("c0", 0, 2), ("c1", 2, 3)]),
    ((("intro", 1), ("clip", 2), ("outro", 1)), [("Intro", 0, 1), ("c1", 1, 2), ("Outro", 3, 1)]),
    ((("bumper", 1), ("clip", 2), ("bumper", 1)), [("c1", 0, 4)]),
    ((("clip", 2), ("transition", 1), ("clip", 3)), [("c0", 0, 3), ("c2", 3, 3)]),
    ((), []),
]


@pytest.mark.parametrize(("shots", "expected"), CHAPTERS)
def test_chapters(shots: Any, expected: list[tuple[str, int, int]]) -> None:
    """From 0 to the end without a gap; what stands between two clips belongs to the first."""
    found = build_chapters(_record(*shots))
    assert [(c.title, c.at // RATE, c.frames // RATE) for c in found] == expected


NOTES = [
    ((12, 12, 12), None),
    ((12, 12), "chapters: YouTube shows them from 3 on, and there are 2"),
    ((12, 4, 12), "chapters: YouTube shows them when each is at least 10s: c1 is 4.00s long"),
    ((1, 4, 12), "c0 is 1.00s long, and 1 more are too short"),
]


@pytest.mark.parametrize(("lengths", "said"), NOTES)
def test_why_youtube_would_not_show_them(lengths: tuple[int, ...], said: str | None) -> None:
    """Three, of ten seconds each; the note names the first that is too short."""
    note = chapter_warning(build_chapters(_record(*(("clip", length) for length in lengths))), RATE)
    assert note is None if said is None else said in str(note)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (59.99, "0:59"), (61, "1:01"), (3661, "1:01:01")]
)
def test_clock(seconds: float, shown: str) -> None:
    """Whole seconds, never rounded up: a chapter does not start before its line says."""
    assert timestamp(int(seconds * RATE), RATE) == shown


def test_hours_have_their_chapters() -> None:
    """Beyond an hour the lines have hours."""
    text = chapters_text(build_chapters(_record(("clip", 3599), ("clip", 2), ("clip", 1))), RATE)
    assert text == "0:00 c0\n59:59 c1\n1:00:01 c2\n"


def test_each_work_is_credited_once() -> None:
    """A clip played twice is one work; a placeholder is none; the music comes last."""
    made = {"creator": "Grace", "url": "https://example.org/1"}
    record = _record(("clip", 1), ("bumper", 1), ("clip", 1), ("clip", 1))
    one, bumper, _, lost = record.items
    one = one.model_copy(update=made)
    again = one.model_copy(update={"at": 60, "start": 30})
    shots = [one, bumper, again, lost.model_copy(update={"sha256": ""})]
    track = MusicTrack(media_id="m-track", sha256="7", artist="Ada", at=0, frames=9)
    found = record.model_copy(update={"items": shots, "music": track, "title": "A\nB"})
    assert [(c.kind, c.by) for c in credits_of(found)] == [("clip", "Grace"), ("music", "Ada")]
    assert credits_text(found) == (
        "A B\n\n1. c0 by Grace\n   https://example.org/1\n\nMusic: m-track by Ada\n"
    )


@given(st.integers(1, 400_000), st.sampled_from([24, 25, 30, 50, 60, 120]))
def test_tiles_cover_every_frame_once(frames: int, rate: int) -> None:
    """Whatever the length: no gap between two tiles, each shows a frame of its own stretch."""
    found = build_grid(frames, rate, (1920, 1080))
    spans = [found.span(i) for i in range(found.tiles)]
    assert (spans[0][0], spans[-1][1]) == (0, frames)
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert all(start <= found.shown(i) < end for i, (start, end) in enumerate(spans))
    width, height = found.size
    corners = [found.corner(i) for i in range(found.tiles)]
    assert all(x + 320 < width and y + 180 < height for x, y in corners)
    assert len(set(corners)) == found.tiles <= 36


def test_cues_name_the_picture_as_an_address() -> None:
    """An hour and more has its place, and a name with a blank is one address."""
    text = storyboard_vtt(build_grid(30 * 3700, 30, (1080, 1920)), "my cut.png")
    cues = re.findall(r"(\S+) --> (\S+)\n(\S+)\n", text)
    assert len(cues) == 36
    assert cues[-1][1] == "01:01:40.000"
    assert cues[0][2] == "my%20cut.png#xywh=4,4,320,569"
