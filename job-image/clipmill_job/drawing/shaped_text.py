"""Scripts that need a shaper, and emoji in colour: chosen, placed and drawn by HarfBuzz alone.

No library of the system has a part in it, so that the same text has the same pixels everywhere.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import uharfbuzz as hb
from PIL import Image, ImageFilter

FOLDER = Path(__file__).parent / "fonts"
EMOJI = "NotoColorEmoji-Subset.ttf"
SHAPED = frozenset({"NotoSansDevanagari-Regular.ttf", "NotoSansThai-Regular.ttf", EMOJI})
"""Fonts whose text is drawn here; Pillow draws the letters of the others one by one."""
Colour = tuple[int, int, int, int]


class Run(NamedTuple):
    """A text in one of the fonts, its size, where its baseline starts, and how it is coloured."""

    font: str
    text: str
    size: int
    at: tuple[float, int]
    colour: Colour
    outline: int


@lru_cache(maxsize=16)
def _font(name: str) -> Any:
    return hb.Font(hb.Face(hb.Blob.from_file_path(str(FOLDER / name))))


@lru_cache(maxsize=4096)
def has(name: str, character: str) -> bool:
    """Whether a font has a glyph for a character."""
    return _font(name).get_nominal_glyph(ord(character)) is not None


@lru_cache(maxsize=1024)
def _placed(name: str, text: str) -> tuple[tuple[tuple[int, int, int], ...], int]:
    """Glyphs with their x and y, and the width of all, in the font's own units."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    hb.shape(_font(name), buffer)
    found, pen = [], 0
    for glyph, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        found.append((glyph.codepoint, pen + place.x_offset, place.y_offset))
        pen += place.x_advance
    return tuple(found), pen


def width(name: str, text: str, size: int) -> float:
    """Width of a text in pixels."""
    return float(_placed(name, text)[1] * size / _font(name).face.upem)


def write(image: Image.Image, run: Run) -> None:
    """Draw a text over a picture."""
    if run.font == EMOJI:
        layer = _painted(image.size, run)
        alpha = layer.getchannel("A").point(lambda value: value * run.colour[3] // 255)
        layer.putalpha(alpha)
        image.alpha_composite(layer)
        return
    mask = _rastered(image.size, run, hb.RasterDraw(), "L", "L")
    if run.outline:
        around = mask.filter(ImageFilter.MaxFilter(2 * run.outline + 1))
        _tint(image, around, (0, 0, 0, run.colour[3]))
    _tint(image, mask, run.colour)


def _tint(image: Image.Image, mask: Image.Image, colour: Colour) -> None:
    layer = Image.new("RGBA", image.size, (*colour[:3], 0))
    layer.putalpha(mask.point(lambda value: value * colour[3] // 255))
    image.alpha_composite(layer)


def _painted(size: tuple[int, int], run: Run) -> Image.Image:
    return _rastered(size, run, hb.RasterPaint(), "RGBa", "BGRa").convert("RGBA")


def _rastered(size: tuple[int, int], run: Run, canvas: Any, mode: str, order: str) -> Image.Image:
    """The glyphs on a canvas of this size, whose lower edge is as far down as the picture's."""
    (wide, high), (x, baseline) = size, run.at
    font, scale = _font(run.font), run.size / _font(run.font).face.upem
    canvas.extents = hb.RasterExtents(0, baseline - high, wide, high, 0)
    put = canvas.draw_glyph if mode == "L" else canvas.paint_glyph
    for glyph, right, up in _placed(run.font, run.text)[0]:
        canvas.transform = (scale, 0, 0, scale, x + right * scale, up * scale)
        put(font, glyph)
    made = canvas.render()
    if made is None:
        return Image.new(mode, size)
    # HarfBuzz keeps rows from the lowest up.
    return Image.frombuffer(mode, size, made.buffer, "raw", order, made.extents.stride, -1)
