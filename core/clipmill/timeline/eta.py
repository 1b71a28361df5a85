"""When a render will have ended, guessed from how fast it went so far. Pure."""

from __future__ import annotations

from datetime import datetime

FETCH_SHARE = 30
"""Percent of a compilation that its fetches count for, however long they take."""
LAST = 99
"""Percent of one that has not ended; what is left from there on cannot be told."""


def estimate_end(began: datetime, reached: datetime, percent: int) -> datetime | None:
    """`reached`: when it came to `percent`, having `began` to render. None: too early to tell.

    It depends on what was done alone, not on when it is asked: it stays until more is done.
    """
    done = percent - FETCH_SHARE
    if done <= 0 or percent >= LAST or reached <= began:
        return None
    return reached + (reached - began) * (LAST - percent) / done
