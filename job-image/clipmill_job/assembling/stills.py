"""Stills of a finished video: a thumbnail, and a storyboard that shows all of it at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from clipmill.artifacts.storyboard import TILE_WIDTH, Grid, grid

THUMBNAIL_S = 3
"""Where the thumbnail is taken; the middle of a video shorter than twice this."""
THUMBNAIL_WIDTH = 480
CHOICES = 8
"""Other moments that are looked at when that one shows nothing."""
DARK, FLAT = 32, 8
"""A picture is taken from this mean brightness and this spread on, of 255."""
PNG_EFFORT = 3
"""A third of the time of the default 6, for a tenth more bytes."""
BACKGROUND = (16, 16, 20)


def thumbnail(video: Path, out: Path) -> None:
    """A JPEG, 480 pixels wide, of a moment that shows something."""
    with av.open(str(video)) as container:
        length = _length_s(container)
        first = min(Fraction(THUMBNAIL_S), length / 2)
        moments = (first, *(length * i / (CHOICES + 1) for i in range(1, CHOICES + 1)))
        shown = (_shown_at(container, at, (at / 2, at)) for at in moments)
        best = _most_shown(_picture(frame, THUMBNAIL_WIDTH) for frame in shown)
    best.save(out, "JPEG", quality=88)


def _most_shown(pictures: Iterable[Image.Image]) -> Image.Image:
    """The first that is neither black nor of one colour; else the one that shows most."""
    found: list[tuple[float, Image.Image]] = []
    for picture in pictures:
        seen = ImageStat.Stat(picture.convert("L"))
        if seen.mean[0] >= DARK and seen.stddev[0] >= FLAT:
            return picture
        found.append((seen.mean[0] + seen.stddev[0], picture))
    return max(found, key=lambda one: one[0])[1]


def storyboard(video: Path, out: Path, *, frames: int, rate: int) -> Grid:
    """A PNG of moments evenly spread over the whole video, and where each of them lies."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        found = grid(frames, rate, (stream.width, stream.height))
        sheet = Image.new("RGB", found.size, BACKGROUND)
        for i in range(found.tiles):
            start, end = (Fraction(frame, rate) for frame in found.span(i))
            middle = Fraction(found.shown(i), rate)
            shown = _shown_at(container, middle, (start, end - Fraction(1, rate)))
            tile = _picture(shown, TILE_WIDTH)
            sheet.paste(tile, found.corner(i))
    sheet.save(out, "PNG", compress_level=PNG_EFFORT)
    return found


def _length_s(container: InputContainer) -> Fraction:
    stream = container.streams.video[0]
    return Fraction(stream.duration or 0) * Fraction(stream.time_base or 0)


def _shown_at(
    container: InputContainer, moment_s: Fraction, stretch: tuple[Fraction, Fraction]
) -> VideoFrame:
    """The last key frame of a stretch, which needs no other frame decoded.

    Without one, what is on screen at the moment, which lies within the stretch.
    """
    stream = container.streams.video[0]
    ticks = Fraction(stream.time_base or 1)
    container.seek(int(stretch[1] / ticks), stream=stream, backward=True)
    shown: VideoFrame | None = None
    for frame in _decoded(container, stream, stretch[0]):
        if shown is not None and (frame.pts or 0) * ticks > moment_s:
            break
        shown = frame
    assert shown is not None, "a finished video has frames"
    return shown


def _decoded(
    container: InputContainer, stream: VideoStream, since: Fraction
) -> Iterator[VideoFrame]:
    """The key frame alone when it is not before `since`, else all from it on."""
    packets = container.demux(stream)
    first = next(packets)
    yield from stream.decode(first)
    if Fraction(first.pts or 0) * Fraction(stream.time_base or 1) >= since:
        # The decoder waits for frames that might come before it: none will.
        yield from stream.decode(None)
        return
    for packet in packets:
        yield from stream.decode(packet)


def _picture(frame: VideoFrame, width: int) -> Image.Image:
    height = max(2, round(frame.height * width / frame.width))
    small = frame.reformat(width=width, height=height, format="rgb24")
    plane = small.planes[0]
    return Image.frombytes("RGB", (width, height), bytes(plane), "raw", "RGB", plane.line_size)
