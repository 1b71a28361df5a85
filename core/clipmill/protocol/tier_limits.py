"""Define the initial tiers and the arithmetic of limits. None is no limit; 0 allows nothing."""

from __future__ import annotations

from typing import NamedTuple


class TierLimits(NamedTuple):
    """Limits of a tier: bytes stored, and seconds rendered in a calendar month (UTC)."""

    name: str
    storage_limit_bytes: int | None
    render_limit_s: int | None
    apply_watermark: bool
    max_resolution: str | None = None
    max_fps: int | None = None
    max_clips: int | None = None


TIERS = (
    TierLimits("Free", 1_073_741_824, 1_800, True),
    TierLimits("Pro", 53_687_091_200, 21_600, False),
    TierLimits("Unlimited", None, None, False),
)


def remaining(limit: int | None, used: int) -> int | None:
    """Return what is left of a limit, or None if there is no limit."""
    return None if limit is None else max(0, limit - used)
