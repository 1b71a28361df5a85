"""Draw text and colour emoji by HarfBuzz alone.

No library of the system is used, so that a text has the same pixels on every machine.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import uharfbuzz as hb
from PIL import Image, ImageFilter

FONT_FOLDER = Path(__file__).parent / "fonts"
EMOJI = "NotoColorEmoji-Subset.ttf"
Colour = tuple[int, int, int, int]


class ShapedRun(NamedTuple):
    """A text in one font; `at` is the left of its baseline, size and outline are in pixels."""

    font: str
    text: str
    is_rtl: bool
    size: int
    at: tuple[float, int]
    colour: Colour
    outline: int


class _Glyph(NamedTuple):
    """A glyph's number in its font, and its offset from the baseline's start in font units."""

    number: int
    x: int
    y: int


@lru_cache(maxsize=32)
def _font(name: str) -> Any:
    return hb.Font(hb.Face(hb.Blob.from_file_path(str(FONT_FOLDER / name))))


@lru_cache(maxsize=4096)
def has_glyph(font: str, character: str) -> bool:
    """Return whether a font has a glyph for a character."""
    return _font(font).get_nominal_glyph(ord(character)) is not None


@lru_cache(maxsize=1024)
def _shape(font: str, text: str, *, is_rtl: bool) -> tuple[tuple[_Glyph, ...], int]:
    """Return the glyphs of a text from left to right, and its width in font units."""
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.direction = "rtl" if is_rtl else "ltr"
    # Not the language of the machine, on which letter forms may depend.
    buffer.language = "und"
    buffer.guess_segment_properties()
    hb.shape(_font(font), buffer)
    glyphs, pen = [], 0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        glyphs.append(_Glyph(info.codepoint, pen + position.x_offset, position.y_offset))
        pen += position.x_advance
    return tuple(glyphs), pen


def shaped_width(font: str, text: str, size: int, *, is_rtl: bool = False) -> float:
    """Return the width of a text in pixels."""
    return float(_shape(font, text, is_rtl=is_rtl)[1] * size / _font(font).face.upem)


def shaped_height(font: str, text: str, size: int, *, is_rtl: bool) -> tuple[float, float]:
    """Return how far a text reaches above and below its baseline, in pixels."""
    hb_font, scale = _font(font), size / _font(font).face.upem
    above = below = 0.0
    for glyph in _shape(font, text, is_rtl=is_rtl)[0]:
        extents = hb_font.get_glyph_extents(glyph.number)
        if extents is not None:
            top = glyph.y + extents.y_bearing
            above = max(above, top * scale)
            below = max(below, -(top + extents.height) * scale)
    return above, below


def draw_run(image: Image.Image, run: ShapedRun) -> None:
    """Draw a text onto an image."""
    if run.font == EMOJI:
        layer = _paint(image.size, run)
        alpha = layer.getchannel("A").point(lambda value: value * run.colour[3] // 255)
        layer.putalpha(alpha)
        image.alpha_composite(layer)
        return
    mask = _rasterize(image.size, run, hb.RasterDraw(), "L", "L")
    if run.outline:
        outline = mask.filter(ImageFilter.MaxFilter(2 * run.outline + 1))
        _fill(image, outline, (0, 0, 0, run.colour[3]))
    _fill(image, mask, run.colour)


def _fill(image: Image.Image, mask: Image.Image, colour: Colour) -> None:
    layer = Image.new("RGBA", image.size, (*colour[:3], 0))
    layer.putalpha(mask.point(lambda value: value * colour[3] // 255))
    image.alpha_composite(layer)


def _paint(size: tuple[int, int], run: ShapedRun) -> Image.Image:
    return _rasterize(size, run, hb.RasterPaint(), "RGBa", "BGRa").convert("RGBA")


def _rasterize(
    size: tuple[int, int], run: ShapedRun, canvas: Any, mode: str, raw_mode: str
) -> Image.Image:
    """Return the glyphs as an image of this size."""
    (width, height), (x, baseline) = size, run.at
    font, scale = _font(run.font), run.size / _font(run.font).face.upem
    # HarfBuzz counts y upwards from the baseline.
    canvas.extents = hb.RasterExtents(0, baseline - height, width, height, 0)
    draw_glyph = canvas.draw_glyph if mode == "L" else canvas.paint_glyph
    for glyph in _shape(run.font, run.text, is_rtl=run.is_rtl)[0]:
        canvas.transform = (scale, 0, 0, scale, x + glyph.x * scale, glyph.y * scale)
        draw_glyph(font, glyph.number)
    raster = canvas.render()
    if raster is None:
        return Image.new(mode, size)
    # -1: HarfBuzz stores the lowest row first.
    return Image.frombuffer(mode, size, raster.buffer, "raw", raw_mode, raster.extents.stride, -1)
