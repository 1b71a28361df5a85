"""Tiers and what they allow. None is no limit; 0 is nothing at all."""

from __future__ import annotations

from typing import NamedTuple


class TierLimits(NamedTuple):
    """Limits of one tier: bytes kept, render seconds a UTC calendar month."""

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
DEFAULT_TIER = "Free"


def remaining(limit: int | None, used: int) -> int | None:
    """What is left of a limit; None: no limit."""
    return None if limit is None else max(0, limit - used)
