"""Why a file cannot be used as video, music or image.

MediaError     permanent: the same bytes give the same error. `code` is stable and PascalCase:
               Missing, Empty, NotMedia, ForbiddenFormat, NoVideo, NoSound, Truncated, Damaged,
               TooLarge, TooSlow (the only one that a faster machine could change)
"""

from __future__ import annotations

from fractions import Fraction

MAX_HOURS = 12


class MediaError(Exception):
    """A file is not usable. `code` is for programs, str() is one line for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def check_hours(name: str, duration_s: Fraction) -> None:
    """Raise MediaError if a file is longer than MAX_HOURS."""
    if duration_s > MAX_HOURS * 3600:
        hours = float(duration_s / 3600)
        message = f"{name}: duration {hours:.1f} h exceeds the limit of {MAX_HOURS} h"
        raise MediaError("TooLarge", message)


def error_text(error: Exception) -> str:
    """Return a library's error message without its decoration."""
    return str(getattr(error, "strerror", None) or error)
