"""Text to pixels: any script, emoji and right-to-left, the same on every machine.

Letters are put in their shown order first and then drawn in runs, each in the first bundled font
that has its characters; so nothing depends on fonts or libraries of the system.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from arabic_reshaper import ArabicReshaper
from bidi import get_display
from PIL import Image, ImageDraw, ImageFont
from PIL.ImageFont import FreeTypeFont

FOLDER = Path(__file__).parent / "fonts"
FONTS = (
    "NotoSans-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoEmoji-Regular.ttf",
    "NanumGothic-Regular.ttf",
    "DroidSansFallbackFull.ttf",
)
UNASSIGNED = "\U0010ffff"
"""No font has it: what it is drawn as is the font's box for a missing character."""
PARTNER = dict(zip("()[]{}", ")(][}{", strict=True))
LEADING = 1.3
"""Height of a line in sizes of its letters."""
Colour = tuple[int, int, int, int]


class Style(NamedTuple):
    """Size in pixels, colour with alpha, and width of a black outline in pixels."""

    size: int
    colour: Colour = (255, 255, 255, 255)
    outline: int = 0


def lettered(text: str, style: Style) -> Image.Image:
    """One line of text on a transparent picture as wide as the text and one line high."""
    parts = [(_font(name, style.size), part) for name, part in runs(text)]
    edge = style.outline + max(1, style.size // 8)
    width = sum(font.getlength(part) for font, part in parts)
    size = (max(1, round(width)) + 2 * edge, round(style.size * LEADING) + 2 * style.outline)
    image = Image.new("RGBA", size, (*style.colour[:3], 0))
    draw, at = ImageDraw.Draw(image), float(edge)
    for font, part in parts:
        place = (at, style.outline + style.size)
        draw.text(
            place,
            part,
            style.colour,
            font,
            anchor="ls",
            stroke_width=style.outline,
            stroke_fill=(0, 0, 0, style.colour[3]),
        )
        at += font.getlength(part)
    return image


def width(text: str, size: int) -> float:
    """Width of a line in pixels."""
    return sum(_font(name, size).getlength(part) for name, part in runs(text))


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
    for character in _shown(text):
        before = seen[-1][0] if seen else FONTS[0]
        seen.append((_font_of(character, before), character))
    return [
        (name, "".join(character for _, character in run))
        for name, run in groupby(seen, key=lambda one: one[0])
    ]


def _shown(text: str) -> str:
    """The characters from left to right, without those that have no form of their own."""
    visual = _facing(str(get_display(_reshaper().reshape(text))))
    return "".join(character for character in visual if not _formless(character))


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


def _formless(character: str) -> bool:
    """Controls, joiners, and the selectors between text and emoji."""
    selects = "\N{VARIATION SELECTOR-1}" <= character <= "\N{VARIATION SELECTOR-16}"
    return selects or unicodedata.category(character) in ("Cc", "Cf")


@lru_cache(maxsize=1)
def _reshaper() -> ArabicReshaper:
    return ArabicReshaper({"delete_harakat": False})


def _font_of(character: str, before: str) -> str:
    """The font of the characters before, for accents; else the first that has it."""
    if unicodedata.category(character) in ("Mn", "Me") and _has(before, character):
        return before
    return next((name for name in FONTS if _has(name, character)), FONTS[0])


@lru_cache(maxsize=4096)
def _has(name: str, character: str) -> bool:
    font = _font(name, 24)
    return character.isspace() or bytes(font.getmask(character)) != _missing(name)


@lru_cache(maxsize=16)
def _missing(name: str) -> bytes:
    return bytes(_font(name, 24).getmask(UNASSIGNED))


@lru_cache(maxsize=256)
def _font(name: str, size: int) -> FreeTypeFont:
    # Basic: the order and the forms of letters are settled, a shaper would settle them again.
    layout = ImageFont.Layout.BASIC
    return ImageFont.truetype(str(FOLDER / name), max(1, size), layout_engine=layout)
