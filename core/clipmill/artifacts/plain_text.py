"""Format titles and times for lists that people read."""

from __future__ import annotations

import re
import unicodedata


def single_line(text: str) -> str:
    """Return the text in one line: controls and line breaks become spaces, repeated ones one.

    All other characters are kept, also the invisible ones that join or separate letters.
    """
    return re.sub(" +", " ", "".join(" " if _breaks(c) else c for c in text)).strip(" ")


def _breaks(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def timestamp(frames: int, rate: int) -> str:
    """Return a position as `2:03` or `1:02:03`, rounded down to seconds."""
    minutes, seconds = divmod(frames // rate, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
