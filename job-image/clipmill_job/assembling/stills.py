"""Stills of a finished video: a thumbnail, and a storyboard that covers its whole length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from clipmill.artifacts.storyboard import TILE_WIDTH, StoryboardGrid, build_grid
from clipmill.artifacts.thumbnail import THUMBNAIL_S, THUMBNAIL_WIDTH

# Other moments to choose from if the frame at that time is black or of one colour.
ALTERNATIVES = 8
# Least mean and standard deviation of the brightness of a frame that shows something, of 255.
MIN_BRIGHTNESS, MIN_CONTRAST = 32, 8
# A third of the time of the default 6, for a tenth more bytes.
PNG_COMPRESSION = 3
BACKGROUND = (16, 16, 20)


def save_thumbnail(video: Path, out: Path) -> None:
    """Write a JPEG, 480 pixels wide, of a frame that is not black or of one colour."""
    with av.open(str(video)) as container:
        duration = _duration_s(container)
        first = min(Fraction(THUMBNAIL_S), duration / 2)
        others = (duration * i / (ALTERNATIVES + 1) for i in range(1, ALTERNATIVES + 1))
        frames = (_frame_near(container, at, (at / 2, at)) for at in (first, *others))
        image = _choose(_to_image(frame, THUMBNAIL_WIDTH) for frame in frames)
    image.save(out, "JPEG", quality=88)


def _choose(images: Iterable[Image.Image]) -> Image.Image:
    """Return the first image with enough brightness and contrast, else the one with most."""
    rejected: list[tuple[float, Image.Image]] = []
    for image in images:
        brightness = ImageStat.Stat(image.convert("L"))
        mean, deviation = brightness.mean[0], brightness.stddev[0]
        if mean >= MIN_BRIGHTNESS and deviation >= MIN_CONTRAST:
            return image
        rejected.append((mean + deviation, image))
    return max(rejected, key=lambda scored: scored[0])[1]


def save_storyboard(video: Path, out: Path, *, frames: int, rate: int) -> StoryboardGrid:
    """Write a PNG of frames evenly spread over the video and return their grid."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        grid = build_grid(frames, rate, (stream.width, stream.height))
        sheet = Image.new("RGB", grid.size, BACKGROUND)
        for i in range(grid.tiles):
            start, end = (Fraction(frame, rate) for frame in grid.span(i))
            middle = Fraction(grid.shown(i), rate)
            frame = _frame_near(container, middle, (start, end - Fraction(1, rate)))
            sheet.paste(_to_image(frame, TILE_WIDTH), grid.corner(i))
    sheet.save(out, "PNG", compress_level=PNG_COMPRESSION)
    return grid


def _duration_s(container: InputContainer) -> Fraction:
    stream = container.streams.video[0]
    return Fraction(stream.duration or 0) * Fraction(stream.time_base or 0)


def _frame_near(
    container: InputContainer, at_s: Fraction, span_s: tuple[Fraction, Fraction]
) -> VideoFrame:
    """Return the last key frame within a span, else the frame at a time within that span.

    A key frame is preferred because no other frame has to be decoded for it.
    """
    stream = container.streams.video[0]
    time_base = Fraction(stream.time_base or 1)
    container.seek(int(span_s[1] / time_base), stream=stream, backward=True)
    nearest: VideoFrame | None = None
    for frame in _decoded(container, stream, span_s[0]):
        if nearest is not None and (frame.pts or 0) * time_base > at_s:
            break
        nearest = frame
    assert nearest is not None, "a finished video has frames"
    return nearest


def _decoded(
    container: InputContainer, stream: VideoStream, since_s: Fraction
) -> Iterator[VideoFrame]:
    """Yield only the next key frame if it is not before `since_s`, else all frames from it on."""
    packets = container.demux(stream)
    first = next(packets)
    yield from stream.decode(first)
    if Fraction(first.pts or 0) * Fraction(stream.time_base or 1) >= since_s:
        # Flush: the decoder waits for frames that could precede this one.
        yield from stream.decode(None)
        return
    for packet in packets:
        yield from stream.decode(packet)


def _to_image(frame: VideoFrame, width: int) -> Image.Image:
    height = max(2, round(frame.height * width / frame.width))
    scaled = frame.reformat(width=width, height=height, format="rgb24")
    plane = scaled.planes[0]
    return Image.frombytes("RGB", (width, height), bytes(plane), "raw", "RGB", plane.line_size)
