"""Stills of a finished video: a thumbnail, and a storyboard that shows all of it at a glance."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from PIL import Image

THUMBNAIL_S = 3
"""Where the thumbnail is taken; the middle of a video shorter than twice this."""
THUMBNAIL_WIDTH = 480
TILES = 16
TILE_WIDTH = 320
COLUMNS = 4
GAP = 4
BACKGROUND = (16, 16, 20)


def thumbnail(video: Path, out: Path) -> None:
    """A JPEG, 480 pixels wide."""
    with av.open(str(video)) as container:
        length = _length_s(container)
        _picture(
            _shown_at(container, min(Fraction(THUMBNAIL_S), length / 2)), THUMBNAIL_WIDTH
        ).save(out, "JPEG", quality=88)


def storyboard(video: Path, out: Path) -> None:
    """A PNG of up to 16 moments, evenly spread, in rows of four."""
    with av.open(str(video)) as container:
        length = _length_s(container)
        count = max(1, min(TILES, container.streams.video[0].frames))
        moments = [length * (2 * i + 1) / (2 * count) for i in range(count)]
        tiles = [_picture(_shown_at(container, moment), TILE_WIDTH) for moment in moments]
    _sheet(tiles).save(out, "PNG", optimize=False)


def _length_s(container: InputContainer) -> Fraction:
    stream = container.streams.video[0]
    return Fraction(stream.duration or 0) * Fraction(stream.time_base or 0)


def _shown_at(container: InputContainer, moment_s: Fraction) -> VideoFrame:
    """The frame on screen at a moment, decoded from the key frame before it."""
    stream = container.streams.video[0]
    ticks = Fraction(stream.time_base or 1)
    container.seek(int(moment_s / ticks), stream=stream, backward=True)
    shown: VideoFrame | None = None
    for frame in container.decode(stream):
        if shown is not None and Fraction(frame.pts or 0) * ticks > moment_s:
            break
        shown = frame
    assert shown is not None, "a finished video has frames"
    return shown


def _picture(frame: VideoFrame, width: int) -> Image.Image:
    height = max(2, round(frame.height * width / frame.width))
    small = frame.reformat(width=width, height=height, format="rgb24")
    plane = small.planes[0]
    return Image.frombytes("RGB", (width, height), bytes(plane), "raw", "RGB", plane.line_size)


def _sheet(tiles: list[Image.Image]) -> Image.Image:
    width, height = tiles[0].size
    columns = min(COLUMNS, len(tiles))
    rows = math.ceil(len(tiles) / columns)
    size = (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP)
    sheet = Image.new("RGB", size, BACKGROUND)
    for i, tile in enumerate(tiles):
        row, column = divmod(i, columns)
        sheet.paste(tile, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    return sheet
