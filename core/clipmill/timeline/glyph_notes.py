"""Name the characters of texts that the bundled fonts cannot draw."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from clipmill.spec import CompilationSpec
from clipmill.timeline.covered_characters import RANGES

MAX_NAMED = 5
# Variation selectors choose a form, tones of skin are left out, flags are rendered as letters.
WITHOUT_GLYPH = ((0xFE00, 0xFE0F), (0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF))


def glyph_notes(spec: CompilationSpec) -> tuple[str, ...]:
    """Return a note for each text of the picture that has characters without a glyph."""
    return tuple(note for field, text in _texts(spec) if (note := _note(field, text)))


def _texts(spec: CompilationSpec) -> Iterator[tuple[str, str]]:
    """Yield the texts that are rendered, each with its field."""
    groups = [("spec.overlays", spec.overlays)]
    groups += [(f"spec.clips[{i}].overlays", clip.overlays) for i, clip in enumerate(spec.clips)]
    for path, overlays in groups:
        for i, overlay in enumerate(overlays):
            yield f"{path}[{i}].text", overlay.text or ""
    for i, clip in enumerate(spec.clips):
        if clip.credit and spec.creator_card.show:
            yield f"spec.clips[{i}].credit.creator", clip.credit.creator or ""
            yield f"spec.clips[{i}].credit.game", clip.credit.game or ""


def _note(field: str, text: str) -> str | None:
    missing = missing_characters(text)
    if not missing:
        return None
    named = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:MAX_NAMED])
    more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
    return f"{field}: no font has a glyph for {named}{more}; boxes are shown instead"


def missing_characters(text: str) -> list[str]:
    """Return the characters of a text without a glyph, each once, in their order."""
    composed = unicodedata.normalize("NFC", text)
    return [char for char in dict.fromkeys(composed) if not _is_drawable(char)]


def _is_drawable(char: str) -> bool:
    code = ord(char)
    if char.isspace() or unicodedata.category(char) in ("Cc", "Cf"):
        return True
    if any(first <= code <= last for first, last in WITHOUT_GLYPH):
        return True
    starts, ends = _ranges()
    at = bisect_right(starts, code) - 1
    return at >= 0 and code <= ends[at]


@lru_cache(maxsize=1)
def _ranges() -> tuple[list[int], list[int]]:
    pairs = [(word.split("-")[0], word.split("-")[-1]) for word in RANGES.split()]
    return [int(first, 16) for first, _ in pairs], [int(last, 16) for _, last in pairs]
