"""Draw a line of text in any script, with the same pixels on every machine."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from PIL import Image

from clipmill_job.drawing.font_runs import FontRun, font_runs
from clipmill_job.drawing.shaped_text import (
    EMOJI,
    Colour,
    ShapedRun,
    draw_run,
    shaped_height,
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
    """Return one line of text on a transparent image as wide as the text and one line high.

    The image is higher only if letters or marks reach beyond the line.
    """
    edge = style.outline + max(1, style.size // 8)
    inner_width = max(1, round(text_width(text, style.size)))
    above, below = _overhang(text, style.size)
    height = above + round(style.size * LINE_HEIGHT) + below + 2 * style.outline
    image = Image.new("RGBA", (inner_width + 2 * edge, height), (*style.colour[:3], 0))
    x, baseline = float(edge), style.outline + above + style.size
    for run in font_runs(text):
        _draw(image, run, (x, baseline), style)
        x += _run_width(run, style.size)
    return image


def _overhang(text: str, size: int) -> tuple[int, int]:
    """Return by how many pixels the text reaches beyond its line, above and below."""
    heights = [
        shaped_height(run.font, run.text, size, is_rtl=run.is_rtl)
        for run in font_runs(text)
        if run.font != EMOJI
    ]
    above = max((above for above, _ in heights), default=0.0)
    below = max((below for _, below in heights), default=0.0)
    return max(0, ceil(above) - size), max(0, ceil(below - size * (LINE_HEIGHT - 1)))


def _draw(image: Image.Image, run: FontRun, at: tuple[float, int], style: TextStyle) -> None:
    draw_run(
        image,
        ShapedRun(run.font, run.text, run.is_rtl, style.size, at, style.colour, style.outline),
    )


def text_width(text: str, size: int) -> float:
    """Return the width of a line in pixels."""
    return sum(_run_width(run, size) for run in font_runs(text))


def _run_width(run: FontRun, size: int) -> float:
    return shaped_width(run.font, run.text, size, is_rtl=run.is_rtl)


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
