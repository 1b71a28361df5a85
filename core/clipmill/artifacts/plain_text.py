"""Format titles and times for lists that people read."""

from __future__ import annotations


def single_line(text: str) -> str:
    """Return the text in one line, without unprintable characters and repeated spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def timestamp(frames: int, rate: int) -> str:
    """Return a position as `2:03` or `1:02:03`, rounded down to seconds."""
    minutes, seconds = divmod(frames // rate, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
