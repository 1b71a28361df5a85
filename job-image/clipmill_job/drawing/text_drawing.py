"""Text to pixels: any script, emoji and right-to-left, the same on every machine.

Letters are put in their shown order first and then drawn in runs, each in the first bundled font
that has its characters: by Pillow letter by letter, or by `glyphs` where that is not enough.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from arabic_reshaper import ArabicReshaper
from bidi import get_display
from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

from clipmill_job.drawing import shaped_text
from clipmill_job.drawing.shaped_text import EMOJI, FOLDER, SHAPED, Colour

FONTS = (
    "NotoSans-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    EMOJI,
    "NanumGothic-Regular.ttf",
    "DroidSansFallbackFull.ttf",
)
TONES = "\U0001f3fb-\U0001f3ff"
PICTURE = f"[\u2190-\u2bff\U0001f000-\U0001faff][\ufe0f{TONES}]*"
SEQUENCE = re.compile(f"{PICTURE}(?:\u200d{PICTURE})+|[0-9#*]\ufe0f?\u20e3")
"""What is joined to one emoji: a person and a rocket to an astronaut, a digit and a key's cap."""
STANDS_IN = [chr(code) for code in range(0x2500, 0x2600)]
"""Boxes and shapes: in the order of letters they count as an emoji does."""
FLAGS = {0x1F1E6 + i: chr(ord("A") + i) for i in range(26)}
"""Flags are not in the font: their two letters are written."""
PARTNER = dict(zip("()[]{}", ")(][}{", strict=True))
LEADING = 1.3
"""Height of a line in sizes of its letters."""


class Style(NamedTuple):
    """Size in pixels, colour with alpha, and width of a black outline in pixels."""

    size: int
    colour: Colour = (255, 255, 255, 255)
    outline: int = 0


def lettered(text: str, style: Style) -> Image.Image:
    """One line of text on a transparent picture as wide as the text and one line high."""
    edge = style.outline + max(1, style.size // 8)
    across = max(1, round(width(text, style.size)))
    size = (across + 2 * edge, round(style.size * LEADING) + 2 * style.outline)
    image = Image.new("RGBA", size, (*style.colour[:3], 0))
    at = float(edge)
    for name, part in runs(text):
        _write(image, name, part, at, style)
        at += _length(name, part, style.size)
    return image


def _write(image: Image.Image, name: str, part: str, at: float, style: Style) -> None:
    place = (at, style.outline + style.size)
    if name in SHAPED:
        run = shaped_text.Run(name, part, style.size, place, style.colour, style.outline)
        shaped_text.write(image, run)
        return
    ImageDraw.Draw(image).text(
        place,
        part,
        style.colour,
        _font(name, style.size),
        anchor="ls",
        stroke_width=style.outline,
        stroke_fill=(0, 0, 0, style.colour[3]),
    )


def width(text: str, size: int) -> float:
    """Width of a line in pixels."""
    return sum(_length(name, part, size) for name, part in runs(text))


def _length(name: str, part: str, size: int) -> float:
    shaped = name in SHAPED
    return shaped_text.width(name, part, size) if shaped else _font(name, size).getlength(part)


def fitting(text: str, size: int, room: int) -> tuple[str, int]:
    """The text and a size in which it is no wider than `room`; cut when even half is too wide."""
    least = max(1, size // 2)
    while size > least and width(text, size) > room:
        size = max(least, int(size * 0.95))
    shown = text
    while len(text) > 1 and width(shown, size) > room:
        text = text[:-1]
        shown = text.rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return shown, size


def runs(text: str) -> list[tuple[str, str]]:
    """Fonts and the characters they draw, from left to right."""
    seen: list[tuple[str, str]] = []
    for unit in _shown(text):
        before = seen[-1][0] if seen else FONTS[0]
        if not _formless(unit):
            seen.append((_font_of(unit, before), unit))
    return [
        (name, "".join(unit for _, unit in run)) for name, run in groupby(seen, lambda one: one[0])
    ]


def _shown(text: str) -> list[str]:
    """The characters from left to right; emoji that are joined stay one, in their own order."""
    plain = text.translate(FLAGS)
    free = iter([one for one in STANDS_IN if one not in plain])
    hidden: dict[str, str] = {}

    def hide(found: re.Match[str]) -> str:
        mark = next(free, "")
        hidden[mark] = re.sub(f"[{TONES}]", "", found[0])
        return mark or found[0]

    visual = _facing(str(get_display(_reshaper().reshape(SEQUENCE.sub(hide, plain)))))
    return [hidden.get(character, character) for character in visual]


def _facing(visual: str) -> str:
    """Brackets of right-to-left stretches, which come out back to front, turned to each other."""
    if not any(unicodedata.bidirectional(character) in ("R", "AL") for character in visual):
        return visual
    shown, waiting = list(visual), list[int]()
    for i, character in enumerate(visual):
        if character not in PARTNER:
            continue
        if not waiting or visual[waiting[-1]] != PARTNER[character]:
            waiting.append(i)
            continue
        j = waiting.pop()
        if unicodedata.category(visual[j]) == "Pe":
            shown[i], shown[j] = shown[j], shown[i]
    return "".join(shown)


def _formless(unit: str) -> bool:
    """Controls, joiners, selectors between text and emoji, tones of skin, and tags of flags."""
    if len(unit) > 1:
        return False
    selects = "\N{VARIATION SELECTOR-1}" <= unit <= "\N{VARIATION SELECTOR-16}"
    toned = "\U0001f3fb" <= unit <= "\U0001f3ff"
    return selects or toned or unicodedata.category(unit) in ("Cc", "Cf")


@lru_cache(maxsize=1)
def _reshaper() -> ArabicReshaper:
    return ArabicReshaper({"delete_harakat": False})


def _font_of(unit: str, before: str) -> str:
    """The font of the characters before, for accents; else the first that has it."""
    if len(unit) > 1:
        return EMOJI
    if unit.isspace():
        return FONTS[0]
    if unicodedata.category(unit) in ("Mn", "Me") and shaped_text.has(before, unit):
        return before
    return next((name for name in FONTS if shaped_text.has(name, unit)), FONTS[0])


@lru_cache(maxsize=256)
def _font(name: str, size: int) -> FreeTypeFont:
    # Basic: the order and the forms of letters are settled, a shaper would settle them again.
    layout = ImageFont.Layout.BASIC
    return ImageFont.truetype(str(FOLDER / name), max(1, size), layout_engine=layout)
