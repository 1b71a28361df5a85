"""Estimate when a render will end, from its speed so far."""

from __future__ import annotations

from datetime import datetime

# Percentage of a compilation's progress that its fetches account for, whatever their duration.
FETCH_SHARE = 30
# Highest percentage of a compilation that has not ended. Its end cannot be estimated any more.
MAX_PERCENT = 99


def estimate_end(began: datetime, reached: datetime, percent: int) -> datetime | None:
    """Return the estimated end, or None if it is too early or too late to estimate it.

    The estimate depends only on the progress, not on the time of the call.

    Args:
        began: When rendering began.
        reached: When the progress reached `percent`.
        percent: Progress of the whole compilation, including its fetches.
    """
    rendered = percent - FETCH_SHARE
    if rendered <= 0 or percent >= MAX_PERCENT or reached <= began:
        return None
    return reached + (reached - began) * (MAX_PERCENT - percent) / rendered
