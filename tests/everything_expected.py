"""Check the videos of manifests/samples/everything.yaml, rendered with the sizes of `small`.

At 30 frames per second it plays, with S the bumper and T a transition clip:

    0 intro   30 S   54 opener   99 S   111 faded   156 S   180 T   195 S   219 after-a-...
    264 S   276 portrait   321 S   333 fetched   378 S   402 outro   432 end
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import av
import pytest
from PIL import Image

import clipmaker
import levels
from everything import FRAMES, LUMA, MUSIC_HZ, SMALL, THIRDS

# The opener's text and the watermark: left, top, right, bottom.
TEXT, MARK = (180, 4, 316, 36), (240, 150, 320, 180)


def check(videos: Mapping[str, Path]) -> None:
    """Check the finished files by output."""
    main = clipmaker.frames(videos["main"])
    assert len(main) == FRAMES
    timeline_items(main)
    crossfades(main)
    overlays([frame.to_image() for frame in main])
    framing(videos)
    audio(levels.decoded(videos["main"]))
    chapters(videos["main"])
    web(videos["web"])


def timeline_items(main: list[av.VideoFrame]) -> None:
    """Check each timeline item from its first frame to its last."""
    middle = [clipmaker.luma(frame, 160, 90) for frame in main]
    whole = {
        "intro001": (0, 30),
        "clip0002": (123, 156),
        "clip0003": (219, 264),
        "clip0004": (288, 321),
        "fetched": (345, 378),
        "outro001": (402, 432),
    }
    bumpers = [(30, 54), (99, 111), (156, 180), (195, 219), (264, 276), (321, 333), (378, 402)]
    for name, (first, end) in whole.items():
        assert middle[first:end] == pytest.approx([LUMA[name]] * (end - first), abs=4), name
    for first, end in bumpers:
        assert middle[first:end] == pytest.approx([LUMA["bumper01"]] * (end - first), abs=4)
    assert middle[54:99] == pytest.approx([THIRDS[1]] * 45, abs=4)
    assert min(abs(middle[187] - LUMA[name]) for name in ("trans001", "trans002")) < 4
    assert clipmaker.luma(main[300], 20, 90) < 20, "borders beside the portrait clip"


def crossfades(main: list[av.VideoFrame]) -> None:
    """Check the middles of a fade, a circle opening and a wipe to the left."""
    before = LUMA["bumper01"]
    mixed = (before + LUMA["clip0002"]) / 2
    assert clipmaker.luma(main[117], 160, 90) == pytest.approx(mixed, abs=6)
    assert clipmaker.luma(main[282], 160, 90) == pytest.approx(LUMA["clip0004"], abs=8)
    assert clipmaker.luma(main[282], 6, 120) == pytest.approx(before, abs=8)
    assert clipmaker.luma(main[339], 60, 90) == pytest.approx(before, abs=8)
    assert clipmaker.luma(main[339], 260, 90) == pytest.approx(LUMA["fetched"], abs=8)


def overlays(main: list[Image.Image]) -> None:
    """Check the logo on each clip, card and text in their time windows, and the watermark."""
    for at in (60, 140, 240, 300, 360):
        assert _red(main[at]), at
    for at in (10, 40, 187, 410):
        assert not _red(main[at]), at
    assert [_card(image) for image in (main[54], main[75], main[93])] == [False, True, False]
    assert _blue(main[75])
    assert [_brightest(main[at], TEXT) > 170 for at in (68, 70, 83, 85)] == [
        False,
        True,
        True,
        False,
    ]
    for at in (10, 40, 60, 140):
        ground = main[at].convert("L").getpixel((200, 90))
        assert _brightest(main[at], MARK) > ground + 20, at


def _brightest(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    return int(image.convert("L").crop(box).getextrema()[1])


def _red(image: Image.Image) -> bool:
    red, green, _ = image.getpixel((14, 14))
    return red > green + 80


def _blue(image: Image.Image) -> bool:
    red, _, blue = image.getpixel((18, 153))
    return blue > red + 80


def _card(image: Image.Image) -> bool:
    return image.convert("L").getpixel((150, 150)) < 50


def framing(videos: Mapping[str, Path]) -> None:
    """Check the opener: zoomed to the left, over a blurred background, and in two panes."""
    short, feed, stacked = (
        clipmaker.frames(videos[name])[90] for name in ("short", "feed", "stacked")
    )
    left, middle, right = THIRDS
    assert [clipmaker.luma(short, x, 96) for x in (3, 104)] == pytest.approx([left, middle], abs=5)
    assert clipmaker.luma(short, 54, 10) < 20
    assert clipmaker.luma(feed, 100, 40) > 40
    assert (feed.width, feed.height) == (108, 108)
    assert [clipmaker.luma(stacked, 90, y) for y in (60, 100)] == pytest.approx(
        [left, right], abs=5
    )


def audio(sound: levels.Sound) -> None:
    """Check length, loudness and the music: none under the intro, ducked under a tone."""
    assert len(sound) == FRAMES * 1600
    assert levels.loudness(sound) == pytest.approx(-14, abs=0.5)
    assert levels.true_peak_db(sound) < -0.5
    intro, alone, ducked, outro = (
        levels.level_at(levels.at(sound, *interval), MUSIC_HZ)
        for interval in ((0.2, 0.9), (5.5, 5.9), (2.2, 3.2), (13.5, 14.2))
    )
    assert max(intro, outro) < alone - 30
    assert ducked < alone - 6


def chapters(video: Path) -> None:
    """Check the chapters of intro, outro and each clip."""
    with av.open(str(video), metadata_errors="strict") as container:
        titles = [chapter["metadata"]["title"] for chapter in container.chapters()]
        assert container.metadata["title"] == "Everything at once: 100 %"
    names = ["faded", "after-a-transition-clip", "portrait", "fetched"]
    assert titles == ["Intro", "Opener: Baldur's Gate 3", *names, "Outro"]


def web(video: Path) -> None:
    """Check codecs, frame rate and file size of the WebM output."""
    assert video.stat().st_size <= SMALL["web"]["maxBytes"]
    with av.open(str(video)) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, sound.codec_context.name) == ("vp9", "opus")
        assert (picture.average_rate, picture.codec_context.width) == (25, 160)
