"""Zoom, alignment, panes and all transitions, in decoded pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

import clipmaker
from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import Framing, Profile, Segment, SourceRange
from clipmill.spec import TransitionType
from clipmill_probe import Depth, probe_media

PROFILE = Profile(width=180, height=320, rate=30, crf=12, speed="ultrafast", max_bitrate=8_000_000)
WIDE = PROFILE.model_copy(update={"width": 320, "height": 180})
THIRDS = "nullsrc,geq=lum='if(lt(X,W/3),60,if(lt(X,2*W/3),130,200))':cb=128:cr=128"
QUARTERS = (
    "nullsrc,geq=lum='if(lt(Y,H/2),if(lt(X,W/2),50,100),if(lt(X,W/2),150,200))':cb=128:cr=128"
)


def source_range(path: Path, frames: int = 2, **framing: Any) -> SourceRange:
    """Return the first frames of a clip with a framing."""
    facts = probe_media(path, depth=Depth.PACKETS)
    return SourceRange(
        media_id="m-test",
        sha256="",
        format=facts.format,
        has_audio=True,
        width=facts.width,
        height=facts.height,
        start=0,
        frames=frames,
        framing=Framing.model_validate(framing),
    )


def rendered(out: Path, segment: Segment, *paths: Path) -> list[av.VideoFrame]:
    """Return the frames of a rendered segment."""
    clipmaker.ffmpeg(*segment_args(segment, [str(path) for path in paths], str(out)))
    return clipmaker.frames(out)


def first(folder: Path, path: Path, profile: Profile = PROFILE, **framing: Any) -> av.VideoFrame:
    """Return the first frame of a clip with a framing."""
    segment = Segment(key="0" * 64, sources=[source_range(path, **framing)], profile=profile)
    return rendered(folder / "a.mov", segment, path)[0]


def rows(frame: av.VideoFrame, x: int) -> tuple[int, int]:
    """Return the first and the last row that is not black in a column."""
    lit = [y for y in range(frame.height) if clipmaker.luma(frame, x, y) > 30]
    return lit[0], lit[-1]


@pytest.fixture(scope="module")
def thirds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a landscape clip with a dark, a medium and a light third."""
    return clipmaker.clip(tmp_path_factory.mktemp("a") / "thirds.mp4", seconds=0.3, picture=THIRDS)


ZOOMS = [(100, 101), (120, 122), (150, 152), (180, 182)]


@pytest.mark.parametrize(("zoom", "height"), ZOOMS)
def test_zoom_of_a_landscape_clip_in_a_portrait_frame(
    zoom: int, height: int, thirds: Path, tmp_path: Path
) -> None:
    """The picture grows from the width of the frame on; both borders shrink equally."""
    frame = first(tmp_path, thirds, zoom=zoom)
    top, bottom = rows(frame, 90)
    assert bottom - top + 1 == pytest.approx(height, abs=2)
    assert top == pytest.approx(319 - bottom, abs=2)


def test_zoom_of_a_portrait_clip_keeps_its_middle(tmp_path: Path) -> None:
    """At 150 percent a sixth is cropped at top and bottom, and with it the outer eighths."""
    bands = "nullsrc,geq=lum='if(lt(Y,H/8),40,if(gt(Y,H*7/8),220,130))':cb=128:cr=128"
    path = clipmaker.clip(tmp_path / "tall.mp4", seconds=0.3, size="180x320", picture=bands)
    whole = first(tmp_path, path)
    zoomed = first(tmp_path, path, zoom=150)
    assert [clipmaker.luma(whole, 90, y) for y in (4, 315)] == pytest.approx([40, 220], abs=6)
    assert [clipmaker.luma(zoomed, 90, y) for y in (4, 315)] == pytest.approx([130, 130], abs=6)


ALIGNED = [("Left", (60, 130)), ("Center", (130, 130)), ("Right", (130, 200))]


@pytest.mark.parametrize(("align", "expected"), ALIGNED)
def test_alignment_decides_which_part_stays(
    align: str, expected: tuple[int, int], thirds: Path, tmp_path: Path
) -> None:
    """At 180 percent a bit more than half the width is visible."""
    frame = first(tmp_path, thirds, zoom=180, align=align)
    lumas = (clipmaker.luma(frame, 14, 160), clipmaker.luma(frame, 165, 160))
    if align == "Center":
        lumas = (clipmaker.luma(frame, 60, 160), clipmaker.luma(frame, 120, 160))
    assert lumas == pytest.approx(expected, abs=5)


COVERS = [("Left", 60), ("Center", 130), ("Right", 200)]


@pytest.mark.parametrize(("align", "expected"), COVERS)
def test_cover_keeps_the_aligned_part(
    align: str, expected: int, thirds: Path, tmp_path: Path
) -> None:
    """There are no borders, and the aligned third is visible."""
    frame = first(tmp_path, thirds, fit="Cover", align=align)
    assert rows(frame, 90) == (0, 319)
    assert clipmaker.luma(frame, 90, 160) == pytest.approx(expected, abs=5)


FOCUSES = [(0, 60), (17, 60), (50, 130), (83, 200), (100, 200)]


@pytest.mark.parametrize("upright", [False, True], ids=["wide clip", "tall clip"])
@pytest.mark.parametrize(("percent", "expected"), FOCUSES)
def test_cover_keeps_the_point_in_focus(
    percent: int, expected: int, *, upright: bool, thirds: Path, tmp_path: Path
) -> None:
    """The third with the focus is in the middle of the frame, across or down."""
    if not upright:
        frame = first(tmp_path, thirds, fit="Cover", focus={"left": percent}, align="Right")
        assert rows(frame, 90) == (0, 319)
    else:
        tall = THIRDS.replace("X", "Y").replace("W", "H")
        path = clipmaker.clip(tmp_path / "tall.mp4", seconds=0.3, picture=tall, size="180x320")
        frame = first(tmp_path, path, WIDE, fit="Cover", focus={"top": percent})
    middle = clipmaker.luma(frame, frame.width // 2, frame.height // 2)
    assert middle == pytest.approx(expected, abs=6)


def test_focus_decides_what_a_zoom_keeps(thirds: Path, tmp_path: Path) -> None:
    """As an alignment does, for a picture with borders."""
    frame = first(tmp_path, thirds, zoom=180, focus={"left": 0, "top": 50})
    lumas = (clipmaker.luma(frame, 14, 160), clipmaker.luma(frame, 165, 160))
    assert lumas == pytest.approx((60, 130), abs=5)


def test_panes_stack_a_face_over_the_game(tmp_path: Path) -> None:
    """One quarter fills the upper pane, another the lower one, and the rest is black."""
    path = clipmaker.clip(tmp_path / "q.mp4", seconds=0.3, picture=QUARTERS)
    face = {"source": {"width": 50, "height": 50}, "target": {"height": 40}}
    game = {
        "source": {"left": 50, "top": 50, "width": 50, "height": 50},
        "target": {"top": 40, "height": 50},
    }
    frame = first(tmp_path, path, panes=[face, game])
    for y, level in ((4, 50), (120, 50), (136, 200), (280, 200), (292, 16), (318, 16)):
        for x in (3, 90, 176):
            assert clipmaker.luma(frame, x, y) == pytest.approx(level, abs=6), (x, y)


def test_panes_of_odd_percents_meet(tmp_path: Path) -> None:
    """Panes of 33, 34 and 33 percent have no gap between them."""
    path = clipmaker.clip(
        tmp_path / "w.mp4", seconds=0.3, picture="nullsrc,geq=lum=200:cb=128:cr=128"
    )
    panes = [{"target": {"left": x, "width": width}} for x, width in ((0, 33), (33, 34), (67, 33))]
    frame = first(tmp_path, path, WIDE, panes=panes)
    assert min(clipmaker.luma(frame, x, 90) for x in range(320)) > 180


def test_a_later_pane_lies_on_top(tmp_path: Path) -> None:
    """A pane with a corner of the picture is over one with the whole picture."""
    path = clipmaker.clip(tmp_path / "q.mp4", seconds=0.3, picture=QUARTERS)
    inner = {
        "source": {"left": 50, "top": 50, "width": 50, "height": 50},
        "target": {"left": 10, "top": 10, "width": 20, "height": 20},
    }
    frame = first(tmp_path, path, WIDE, panes=[{"target": {}}, inner])
    assert clipmaker.luma(frame, 64, 36) == pytest.approx(200, abs=6)
    assert clipmaker.luma(frame, 64, 70) == pytest.approx(50, abs=6)


def test_non_square_pixels(tmp_path: Path) -> None:
    """A picture with pixels twice as wide as high is shown in its aspect ratio."""
    extra = ("-vf", "setsar=2")
    path = clipmaker.clip(
        tmp_path / "sar.mp4", seconds=0.3, size="160x180", picture=THIRDS, extra=extra
    )
    frame = first(tmp_path, path, WIDE)
    assert rows(frame, 160) == (0, 179)
    assert clipmaker.luma(frame, 3, 90) == pytest.approx(60, abs=6)
    assert clipmaker.luma(frame, 316, 90) == pytest.approx(200, abs=6)


# --- transitions ----------------------------------------------------------------------------------

KINDS = [kind for kind in TransitionType if kind is not TransitionType.NONE]
SIDES = {
    # At half time: left, right, upper and lower edge; True is the second clip.
    TransitionType.WIPE_LEFT: (False, True, None, None),
    TransitionType.WIPE_RIGHT: (True, False, None, None),
    TransitionType.WIPE_UP: (None, None, False, True),
    TransitionType.WIPE_DOWN: (None, None, True, False),
    TransitionType.SLIDE_LEFT: (False, True, None, None),
    TransitionType.SLIDE_RIGHT: (True, False, None, None),
    TransitionType.SLIDE_UP: (None, None, False, True),
    TransitionType.SLIDE_DOWN: (None, None, True, False),
    TransitionType.SMOOTH_LEFT: (False, True, None, None),
    TransitionType.SMOOTH_RIGHT: (True, False, None, None),
    TransitionType.CIRCLE_OPEN: (False, False, None, None),
    TransitionType.CIRCLE_CLOSE: (True, True, None, None),
}
MIDDLE = {
    TransitionType.FADE: 120,
    TransitionType.FADE_WHITE: 235,
    TransitionType.CIRCLE_OPEN: 200,
    TransitionType.CIRCLE_CLOSE: 40,
}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write a dark and a light clip."""
    folder = tmp_path_factory.mktemp("pair")
    return tuple(
        clipmaker.clip(
            folder / f"{level}.mp4", seconds=1, picture=f"nullsrc,geq=lum={level}:cb=128:cr=128"
        )
        for level in (40, 200)
    )


def at(frame: av.VideoFrame, x: int, y: int) -> int:
    """Return the mean luma around a point, since single pixels of a dissolve are random."""
    around = [(x + i, y + j) for i in range(-3, 4) for j in range(-3, 4)]
    return round(sum(clipmaker.luma(frame, *point) for point in around) / len(around))


@pytest.mark.parametrize("kind", KINDS)
def test_each_transition(kind: TransitionType, pair: tuple[Path, Path], tmp_path: Path) -> None:
    """It starts as the first clip, has the middle of its type, and ends near the second."""
    sources = [source_range(path, frames=16) for path in pair]
    frames = rendered(
        tmp_path / "a.mov",
        Segment(key="0" * 64, sources=sources, transition=kind, profile=WIDE),
        *pair,
    )
    assert len(frames) == 16
    edges = [(6, 90), (313, 90), (160, 6), (160, 173)]
    assert [at(frames[0], *point) for point in edges] == pytest.approx([40] * 4, abs=6)
    last = sum(clipmaker.luma(frames[15], x, y) for x in range(0, 320, 8) for y in range(0, 180, 8))
    assert last / (40 * 23) > 150
    darkest = min(at(frame, 160, 90) for frame in frames)
    assert (darkest < 30) is (kind is TransitionType.FADE_BLACK)
    if kind in MIDDLE:
        assert at(frames[8], 160, 90) == pytest.approx(MIDDLE[kind], abs=8)
    for point, second in zip(edges, SIDES.get(kind, (None,) * 4), strict=True):
        if second is not None:
            assert (at(frames[8], *point) > 120) is second, point
