"""Define the platforms' presets."""

from __future__ import annotations

from typing import NamedTuple


class Preset(NamedTuple):
    """Size in pixels, frames per second, bit/s, and the longest video in s (None for any)."""

    width: int
    height: int
    rate: int
    max_bitrate: int
    max_length_s: int | None


PRESETS = {
    "youtube": Preset(1920, 1080, 30, 8_000_000, None),
    "youtube_shorts": Preset(1080, 1920, 30, 5_000_000, 60),
    "tiktok": Preset(1080, 1920, 30, 5_000_000, 600),
    "instagram_feed": Preset(1080, 1080, 30, 5_000_000, 60),
    "instagram_reel": Preset(1080, 1920, 30, 5_000_000, 90),
    "instagram_story": Preset(1080, 1920, 30, 5_000_000, 60),
    "twitter": Preset(1920, 1080, 30, 6_000_000, 140),
    "facebook": Preset(1920, 1080, 30, 8_000_000, None),
    "twitch": Preset(1920, 1080, 60, 8_000_000, 60),
}


def max_length_s(preset: str) -> int | None:
    """Return the longest video in seconds that a platform accepts, or None for any length."""
    return PRESETS[preset].max_length_s if preset in PRESETS else None
