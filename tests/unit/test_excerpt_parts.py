"""What is fetched for a trim, and which clips an excerpt is enough for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from clipmill.protocol import Excerpt, MediaFacts
from clipmill.spec import CompilationSpec
from clipmill.spec.played_part import SourceSpan, played_part
from clipmill_api.tables import MediaRow
from clipmill_api.tasks.excerpts import choose_media, covers
from clipmill_job.excerpting.hls_playlist import UnsupportedPlaylist, read_playlist, window
from clipmill_job.excerpting.part_groups import PartGroup, group_parts, whole_reason

SECOND = 1_000_000
URL = "https://clips.example.com/vod/list.m3u8"


def _part(start_s: int, end_s: int) -> dict[str, Any]:
    return {"clip_id": f"k-{start_s}", "start_us": start_s * SECOND, "end_us": end_s * SECOND}


@pytest.mark.parametrize(
    ("clip", "rest", "expected"),
    [
        ({}, {}, None),
        ({"start": "5s"}, {}, None),
        ({"end": "30s"}, {}, (0, 30)),
        ({"start": "10s", "duration": "5s"}, {}, (10, 15)),
        ({"start": "10s"}, {"maxClipDuration": "20s"}, (10, 30)),
        ({"start": "10s", "end": "60s"}, {"maxClipDuration": "20s"}, (10, 60)),
        ({"start": "10s"}, {"quality": "Draft", "preview": "FirstSeconds"}, (10, 14)),
    ],
)
def test_what_a_clip_plays(clip: dict[str, Any], rest: dict[str, Any], expected: Any) -> None:
    """Known before the fetch unless it plays to the end of its source."""
    spec = CompilationSpec.model_validate({"clips": [{"url": URL, **clip}], **rest})
    span = played_part(spec, 0)
    assert (span and tuple(span)) == expected


def test_near_parts_are_fetched_as_one() -> None:
    """In the order of the source."""
    groups = group_parts([_part(100, 110), _part(10, 20), _part(25, 30), _part(12, 14)])
    assert groups == [
        PartGroup("k-10", 10 * SECOND, 30 * SECOND),
        PartGroup("k-100", 100 * SECOND, 110 * SECOND),
    ]


@pytest.mark.parametrize(
    ("length_s", "size", "pays"),
    [
        (21_600, None, True),
        (160, None, True),
        (150, None, False),
        (79, 10**9, False),
        (81, 10**9, True),
        (21_600, 15_000_000, False),
    ],
)
def test_short_and_small_sources_are_fetched_whole(
    length_s: int, size: int | None, pays: bool
) -> None:
    """Of a trim of 20 seconds."""
    groups = group_parts([_part(10, 30)])
    assert (whole_reason(groups, length_s * SECOND, size) is None) == pays


def test_the_fragments_of_a_part() -> None:
    """Byte ranges follow each other; the initialization section belongs to each part."""
    text = (
        '#EXTM3U\n#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"\n'
        "#EXT-X-BYTERANGE:50@100\n#EXTINF:4.0,\nall.mp4\n"
        "#EXT-X-BYTERANGE:60\n#EXTINF:4.0,\nall.mp4\n#EXTINF:2.5,title\nlast.mp4\n#EXT-X-ENDLIST"
    )
    playlist = read_playlist(text, URL)
    assert playlist.head is not None
    assert (playlist.head.url, playlist.head.size) == (URL.replace("list.m3u8", "init.mp4"), 100)
    assert [(f.offset, f.size) for f in playlist.fragments] == [(100, 50), (150, 60), (0, None)]
    assert playlist.length_us == 10_500_000
    assert list(window(playlist, 4_000_000, 8_000_000)) == [1]
    assert list(window(playlist, 3_999_999, 8_000_001)) == [0, 1, 2]
    assert list(window(playlist, -1, 99_000_000)) == [0, 1, 2]


@pytest.mark.parametrize(
    "line",
    ["#EXT-X-DISCONTINUITY", '#EXT-X-KEY:METHOD=AES-128,URI="k"', "#EXT-X-GAP", "#EXTINF:x,"],
)
def test_playlists_without_a_plain_time_line_are_fetched_whole(line: str) -> None:
    """So are live ones, which have no end."""
    lines = ["#EXTM3U", "#EXTINF:4,", "1.ts", line, "#EXTINF:4,", "2.ts"]
    for text in ("\n".join([*lines, "#EXT-X-ENDLIST"]), "#EXTM3U\n#EXTINF:4,\n1.ts"):
        with pytest.raises(UnsupportedPlaylist):
            read_playlist(text, URL)


def _media(at_s: float, length_s: float, rest_s: float, size: int = 1) -> MediaRow:
    facts = MediaFacts(
        format="mov",
        duration_us=round(length_s * SECOND),
        excerpt=Excerpt(at_us=round(at_s * SECOND), rest_us=round(rest_s * SECOND)),
    )
    return MediaRow(
        clip_key="k#t", excerpt_of="k", size_bytes=size, facts=facts.model_dump(mode="json")
    )


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((100, 110), True),
        ((99, 110), False),
        ((100, 118), True),
        ((100, 119.8), False),
    ],
)
def test_an_excerpt_covers_what_is_within_it(span: tuple[float, float], expected: bool) -> None:
    """With half a second on either side."""
    part = SourceSpan(Fraction(span[0]), Fraction(span[1]))
    assert covers(_media(99.2, 20.5, 50), part) is expected
    assert not covers(_media(99.2, 20.5, 50), None)


def test_an_excerpt_covers_the_ends_of_its_source() -> None:
    """No margin exists there; a start beyond the end needs the end."""
    assert covers(_media(0, 20, 50), SourceSpan(Fraction(0), Fraction(10)))
    assert covers(_media(99, 20, 0), SourceSpan(Fraction(110), Fraction(500)))
    assert covers(_media(99, 20, 0), SourceSpan(Fraction(300), Fraction(310)))


def test_the_whole_source_is_chosen_before_the_smallest_excerpt() -> None:
    """The whole source serves every trim."""
    part = SourceSpan(Fraction(100), Fraction(110))
    large, small = _media(90, 40, 5, size=9), _media(95, 20, 5, size=3)
    whole = MediaRow(clip_key="k", excerpt_of=None, size_bytes=99, facts={})
    assert choose_media([large, small], "k", part) is small
    assert choose_media([large, small, whole], "k", part) is whole
    assert choose_media([large, small], "other", part) is None
