"""Why a file is no usable video.

MediaError     permanent: the same bytes give the same verdict. `code` is stable and PascalCase:
               Missing, Empty, NotMedia, ForbiddenFormat, NoVideo, Truncated, Damaged, TooLarge,
               TooSlow (the only one that a faster machine could change)
"""

from __future__ import annotations


class MediaError(Exception):
    """A verdict on a file: `code` for programs, str() is one line for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
