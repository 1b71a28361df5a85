"""Draw a line of text in any script, with the same pixels on every machine.

Each run of a font is drawn by Pillow letter by letter, or by `shaped_text` where its script needs
shaping.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

from clipmill_job.drawing.font_runs import FontRun, font_runs
from clipmill_job.drawing.shaped_text import (
    FONT_FOLDER,
    SHAPED_FONTS,
    Colour,
    ShapedRun,
    draw_run,
    shaped_width,
)

# Height of a line as a multiple of the text size.
LINE_HEIGHT = 1.3


class TextStyle(NamedTuple):
    """Size in pixels, colour with alpha, and width of a black outline in pixels."""

    size: int
    colour: Colour = (255, 255, 255, 255)
    outline: int = 0


def draw_text(text: str, style: TextStyle) -> Image.Image:
    """Return one line of text on a transparent image as wide as the text and one line high."""
    edge = style.outline + max(1, style.size // 8)
    inner_width = max(1, round(text_width(text, style.size)))
    size = (inner_width + 2 * edge, round(style.size * LINE_HEIGHT) + 2 * style.outline)
    image = Image.new("RGBA", size, (*style.colour[:3], 0))
    x = float(edge)
    for run in font_runs(text):
        _draw(image, run, x, style)
        x += _run_width(run, style.size)
    return image


def _draw(image: Image.Image, run: FontRun, x: float, style: TextStyle) -> None:
    at = (x, style.outline + style.size)
    if run.font in SHAPED_FONTS:
        shaped = ShapedRun(run.font, run.text, style.size, at, style.colour, style.outline)
        draw_run(image, shaped)
        return
    ImageDraw.Draw(image).text(
        at,
        run.text,
        style.colour,
        _font(run.font, style.size),
        anchor="ls",
        stroke_width=style.outline,
        stroke_fill=(0, 0, 0, style.colour[3]),
    )


def text_width(text: str, size: int) -> float:
    """Return the width of a line in pixels."""
    return sum(_run_width(run, size) for run in font_runs(text))


def _run_width(run: FontRun, size: int) -> float:
    if run.font in SHAPED_FONTS:
        return shaped_width(run.font, run.text, size)
    return _font(run.font, size).getlength(run.text)


def fit_text(text: str, size: int, width: int) -> tuple[str, int]:
    """Return a text and a size at which it is at most `width` pixels wide.

    The size is reduced to half at most; a text that is still too wide is shortened.
    """
    smallest = max(1, size // 2)
    while size > smallest and text_width(text, size) > width:
        size = max(smallest, int(size * 0.95))
    fitted = text
    while len(text) > 1 and text_width(fitted, size) > width:
        text = text[:-1]
        fitted = text.rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return fitted, size


@lru_cache(maxsize=256)
def _font(name: str, size: int) -> FreeTypeFont:
    # Basic: order and letter forms are already final, a layout engine would apply them again.
    layout = ImageFont.Layout.BASIC
    return ImageFont.truetype(str(FONT_FOLDER / name), max(1, size), layout_engine=layout)
