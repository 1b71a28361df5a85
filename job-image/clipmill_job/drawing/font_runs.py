"""Split a text into runs of one font, in visual order from left to right."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from arabic_reshaper import ArabicReshaper
from bidi import get_display

from clipmill_job.drawing.shaped_text import EMOJI, has_glyph

# The first font that has a character draws it.
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
SKIN_TONES = "\U0001f3fb-\U0001f3ff"
EMOJI_CHARACTER = f"[\u2190-\u2bff\U0001f000-\U0001faff][\ufe0f{SKIN_TONES}]*"
# Characters joined to one emoji: a woman and a rocket to an astronaut, a digit and a key cap.
EMOJI_SEQUENCE = re.compile(f"{EMOJI_CHARACTER}(?:\u200d{EMOJI_CHARACTER})+|[0-9#*]\ufe0f?\u20e3")
# Box-drawing characters and shapes have the same bidirectional class as emoji.
PLACEHOLDERS = [chr(code) for code in range(0x2500, 0x2600)]
# The font has no flags: their two letters are written instead.
FLAG_LETTERS = {0x1F1E6 + i: chr(ord("A") + i) for i in range(26)}
MIRRORED = dict(zip("()[]{}", ")(][}{", strict=True))


class FontRun(NamedTuple):
    """A text that one font draws."""

    font: str
    text: str


def font_runs(text: str) -> list[FontRun]:
    """Return the runs of a text from left to right."""
    units: list[FontRun] = []
    for unit in _visual_units(text):
        if not _is_invisible(unit):
            previous_font = units[-1].font if units else FONTS[0]
            units.append(FontRun(_font_of(unit, previous_font), unit))
    return [
        FontRun(font, "".join(unit.text for unit in run))
        for font, run in groupby(units, lambda unit: unit.font)
    ]


def _visual_units(text: str) -> list[str]:
    """Return characters and emoji sequences from left to right.

    A placeholder stands for each sequence while the text is reordered, so that it stays together.
    """
    plain = text.translate(FLAG_LETTERS)
    free = iter([character for character in PLACEHOLDERS if character not in plain])
    sequences: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        placeholder = next(free, "")
        sequences[placeholder] = re.sub(f"[{SKIN_TONES}]", "", match[0])
        return placeholder or match[0]

    logical = _reshaper().reshape(EMOJI_SEQUENCE.sub(replace, plain))
    visual = _mirror_brackets(str(get_display(logical)))
    return [sequences.get(character, character) for character in visual]


def _mirror_brackets(visual: str) -> str:
    """Swap pairs of brackets that reordering has turned back to back."""
    if not any(unicodedata.bidirectional(character) in ("R", "AL") for character in visual):
        return visual
    characters, unmatched = list(visual), list[int]()
    for i, character in enumerate(visual):
        if character not in MIRRORED:
            continue
        if not unmatched or visual[unmatched[-1]] != MIRRORED[character]:
            unmatched.append(i)
            continue
        j = unmatched.pop()
        if unicodedata.category(visual[j]) == "Pe":
            characters[i], characters[j] = characters[j], characters[i]
    return "".join(characters)


def _is_invisible(unit: str) -> bool:
    """Return whether a unit is a control, joiner, variation selector, skin tone or tag."""
    if len(unit) > 1:
        return False
    is_selector = "\N{VARIATION SELECTOR-1}" <= unit <= "\N{VARIATION SELECTOR-16}"
    is_skin_tone = "\U0001f3fb" <= unit <= "\U0001f3ff"
    return is_selector or is_skin_tone or unicodedata.category(unit) in ("Cc", "Cf")


@lru_cache(maxsize=1)
def _reshaper() -> ArabicReshaper:
    return ArabicReshaper({"delete_harakat": False})


def _font_of(unit: str, previous_font: str) -> str:
    if len(unit) > 1:
        return EMOJI
    if unit.isspace():
        return FONTS[0]
    # A combining mark is drawn in the font of its base character.
    if unicodedata.category(unit) in ("Mn", "Me") and has_glyph(previous_font, unit):
        return previous_font
    return next((font for font in FONTS if has_glyph(font, unit)), FONTS[0])
