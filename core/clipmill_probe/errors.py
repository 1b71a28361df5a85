"""Why a file is no usable video or music.

MediaError     permanent: the same bytes give the same verdict. `code` is stable and PascalCase:
               Missing, Empty, NotMedia, ForbiddenFormat, NoVideo, NoSound, Truncated, Damaged,
               TooLarge, TooSlow (the only one that a faster machine could change)
"""

from __future__ import annotations

from fractions import Fraction

MAX_HOURS = 12


class MediaError(Exception):
    """A verdict on a file: `code` for programs, str() is one line for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_hours(name: str, length_s: Fraction) -> None:
    """Refuse a file of more hours than are read."""
    if length_s > MAX_HOURS * 3600:
        hours = float(length_s / 3600)
        raise MediaError("TooLarge", f"{name}: {hours:.1f} h long; at most {MAX_HOURS} h are read")


def said(error: Exception) -> str:
    """What a library said, in one line."""
    return str(getattr(error, "strerror", None) or error)
