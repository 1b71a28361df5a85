"""Define the platforms' presets, and how long a video each platform accepts.

Numbers change: each group names the page that documents it, and whether the number was read there
or in a text of others that quotes it, on 2026-11-27. Lengths are defaults, which an installation
may replace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

MINUTE_S, HOUR_S = 60, 3600


class Preset(NamedTuple):
    """Size in pixels, frames per second, bit/s, and the longest video in s (None for any)."""

    width: int
    height: int
    rate: int
    max_bitrate: int
    max_length_s: int | None


PRESETS = {
    # 8 Mbit/s for 1080p at 24 to 30 frames/s: support.google.com/youtube/answer/1722171, read
    # there.
    # 12 hours or 256 GB: quoted from support.google.com/youtube/answer/71673.
    "youtube": Preset(1920, 1080, 30, 8_000_000, 12 * HOUR_S),
    # 3 minutes since 2024-10-15: support.google.com/youtube/answer/15424877, read there.
    "youtube_shorts": Preset(1080, 1920, 30, 8_000_000, 3 * MINUTE_S),
    # 10 minutes, 23 to 60 frames/s, sides of 360 to 4096:
    # quoted from developers.tiktok.com/doc/content-posting-api-media-transfer-guide.
    "tiktok": Preset(1080, 1920, 30, 5_000_000, 10 * MINUTE_S),
    # Every video of a feed is a reel since 2023-11-09. 15 minutes, 25 Mbit/s, 23 to 60 frames/s,
    # at most 1920 pixels wide; 60 s if it ends after a day:
    # quoted from developers.facebook.com/docs/instagram-api/reference/ig-user/media.
    "instagram_feed": Preset(1080, 1080, 30, 5_000_000, 15 * MINUTE_S),
    "instagram_reel": Preset(1080, 1920, 30, 5_000_000, 15 * MINUTE_S),
    "instagram_story": Preset(1080, 1920, 30, 5_000_000, 60),
    # 140 s for accounts without Premium, 1920x1200, 25 Mbit/s, 60 frames/s:
    # quoted from help.x.com/en/using-x/x-videos.
    "twitter": Preset(1920, 1080, 30, 6_000_000, 140),
    # 240 minutes or 10 GB, quoted.
    "facebook": Preset(1920, 1080, 30, 8_000_000, 4 * HOUR_S),
    # 10 Mbit/s in all, 1080p at 60 frames/s, 20 GB, no length; the 60 s of a Twitch clip apply to
    # what is cut from a broadcast: help.twitch.tv (Video Upload Guide), read there.
    "twitch": Preset(1920, 1080, 60, 8_000_000, None),
}


def max_length_s(preset: str, overrides: Mapping[str, int | None] | None = None) -> int | None:
    """Return the longest video in seconds that a platform accepts, or None for any length.

    Args:
        preset: Name of the preset.
        overrides: Limits of the installation by preset, which replace those of the table.
    """
    if overrides and preset in overrides:
        return overrides[preset]
    return PRESETS[preset].max_length_s if preset in PRESETS else None
