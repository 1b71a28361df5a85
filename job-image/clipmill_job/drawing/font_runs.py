"""Split a text into runs of one font, script and direction, from left to right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from clipmill_job.drawing.bidi_levels import embedding_levels, is_mark, visual_order
from clipmill_job.drawing.shaped_text import EMOJI, has_glyph

# The first font that has a character draws it.
FONTS = (
    "NotoSans-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansArmenian-Subset.ttf",
    "NotoSansBengali-Subset.ttf",
    "NotoSansEthiopic-Subset.ttf",
    "NotoSansGeorgian-Subset.ttf",
    "NotoSansGujarati-Subset.ttf",
    "NotoSansGurmukhi-Subset.ttf",
    "NotoSansJavanese-Subset.ttf",
    "NotoSansKannada-Subset.ttf",
    "NotoSansKhmer-Subset.ttf",
    "NotoSansLao-Subset.ttf",
    "NotoSansMalayalam-Subset.ttf",
    "NotoSansMyanmar-Subset.ttf",
    "NotoSansOriya-Subset.ttf",
    "NotoSansSinhala-Subset.ttf",
    "NotoSansTamil-Subset.ttf",
    "NotoSansTelugu-Subset.ttf",
    EMOJI,
    "NanumGothic-Regular.ttf",
    "DroidSansFallbackFull.ttf",
    "NotoSansMath-Subset.ttf",
)
SKIN_TONES = "\U0001f3fb-\U0001f3ff"
EMOJI_CHARACTER = f"[\u2190-\u2bff\U0001f000-\U0001faff][\ufe0f{SKIN_TONES}]*"
# Characters joined to one emoji: a woman and a rocket to an astronaut, a digit and a key cap.
EMOJI_SEQUENCE = re.compile(f"{EMOJI_CHARACTER}(?:\u200d{EMOJI_CHARACTER})+|[0-9#*]\ufe0f?\u20e3")
# The font has no flags: their two letters are written instead.
FLAG_LETTERS = {0x1F1E6 + i: chr(ord("A") + i) for i in range(26)}
# Joiners decide the forms of their neighbours and are drawn as nothing.
JOINERS = "\u200c\u200d"
# Punctuation that scripts of India share; drawn in the font of the letters before it.
SHARED_PUNCTUATION = "\u0964\u0965"
# Scripts that one font has: a run is of one script, which decides how it is shaped.
SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")


class FontRun(NamedTuple):
    """A text in logical order that one font draws in one direction."""

    font: str
    text: str
    is_rtl: bool = False


class _Unit(NamedTuple):
    """A character with its marks, or an emoji sequence."""

    text: str
    font: str
    script: str
    level: int


def font_runs(text: str) -> list[FontRun]:
    """Return the runs of a text from left to right."""
    units = _units(unicodedata.normalize("NFC", text).translate(FLAG_LETTERS))
    runs, levels = [], []
    for (font, _, level), run in groupby(units, lambda unit: (unit.font, unit.script, unit.level)):
        runs.append(FontRun(font, "".join(unit.text for unit in run), level % 2 == 1))
        levels.append(level)
    return visual_order(runs, levels)


def _units(text: str) -> list[_Unit]:
    """Return the units of a text in logical order."""
    levels, units = embedding_levels(text), list[_Unit]()
    for at, cluster in _clusters(text):
        visible = "".join(c for c in cluster if not _is_dropped(c, cluster))
        if not visible:
            continue
        previous = units[-1] if units else _Unit("", FONTS[0], "", 0)
        script = _script_of(visible[0], previous.script)
        units.append(_Unit(visible, _font_of(visible, previous.font), script, levels[at]))
    return units


def _clusters(text: str) -> Iterator[tuple[int, str]]:
    """Yield the position and text of each character with its marks, and of emoji sequences."""
    at = 0
    while at < len(text):
        sequence = EMOJI_SEQUENCE.match(text, at)
        end = sequence.end() if sequence else at + 1
        while end < len(text) and (is_mark(text[end]) or text[end] in JOINERS):
            end += 1
        yield at, text[at:end]
        at = end


def _is_dropped(character: str, cluster: str) -> bool:
    """Return whether a character is a control, a skin tone, a tag, or a lone selector."""
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return True
    if "\N{VARIATION SELECTOR-1}" <= character <= "\N{VARIATION SELECTOR-16}":
        return EMOJI_SEQUENCE.match(cluster) is None
    return unicodedata.category(character) in ("Cc", "Cf") and character not in JOINERS


def _script_of(character: str, previous: str) -> str:
    """Return the script of a letter, and for other characters that of the letters before."""
    script = unicodedata.name(character, "").partition(" ")[0]
    return script if script in SCRIPTS else previous


def _font_of(unit: str, previous_font: str) -> str:
    if EMOJI_SEQUENCE.match(unit):
        return EMOJI
    if unit.isspace():
        return FONTS[0]
    if (unit in SHARED_PUNCTUATION or is_mark(unit[0])) and has_glyph(previous_font, unit[0]):
        return previous_font
    drawn = [character for character in unit if character not in JOINERS]
    complete = (font for font in FONTS if all(has_glyph(font, c) for c in drawn))
    partial = (font for font in FONTS if has_glyph(font, unit[0]))
    return next(complete, next(partial, FONTS[0]))
