"""Encoding profiles by platform, tier, quality and size limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipmill.protocol import OutputPolicy, Profile
from clipmill.spec import AUDIO_RATE, Output, Quality
from clipmill.timeline.bitrates import (
    MIN_VIDEO_BITRATE,
    SizeLimitTooSmall,
    choose_bitrates,
    limit_bitrate,
    reduce_bitrate,
)
from clipmill.timeline.presets import PRESETS, max_length_s
from clipmill.timeline.profiles import RESOLUTIONS, build_profile, limit_size

BEHAVIOUR = {
    "youtube": (1920, 1080, 30, 8_000_000, 43_200),
    "youtube_shorts": (1080, 1920, 30, 8_000_000, 180),
    "tiktok": (1080, 1920, 30, 5_000_000, 600),
    "instagram_feed": (1080, 1080, 30, 5_000_000, 900),
    "instagram_reel": (1080, 1920, 30, 5_000_000, 900),
    "instagram_story": (1080, 1920, 30, 5_000_000, 60),
    "twitter": (1920, 1080, 30, 6_000_000, 140),
    "facebook": (1920, 1080, 30, 8_000_000, 14_400),
    "twitch": (1920, 1080, 60, 8_000_000, None),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_each_platform(preset: str) -> None:
    """Size, rate, bit rate and longest video match the platform."""
    profile = build_profile(Output.model_validate({"name": "a", "preset": preset}))
    size_and_rates = (*profile.size, profile.rate, profile.max_bitrate)
    assert (*size_and_rates, max_length_s(preset)) == BEHAVIOUR[preset]
    assert (profile.encoder, profile.container) == ("libx264", "mp4")


def test_presets_are_complete() -> None:
    """Nine presets are in the table; the tenth is custom."""
    assert set(PRESETS) == set(BEHAVIOUR)
    names = set(Output.model_json_schema()["properties"]["preset"]["enum"])
    assert names == {*BEHAVIOUR, "custom"}


CAPS = [
    ((1080, 1920), "720p", (720, 1280)),
    ((1080, 1080), "720p", (720, 720)),
    ((1920, 1080), "720p", (1280, 720)),
    ((3840, 2160), "1440p", (2560, 1440)),
    ((640, 360), "720p", (640, 360)),
    ((1920, 1080), None, (1920, 1080)),
    ((2160, 3840), "1080p", (1080, 1920)),
]


@pytest.mark.parametrize(("size", "resolution", "limited"), CAPS)
def test_a_limit_keeps_the_aspect_ratio(
    size: tuple[int, int], resolution: str | None, limited: tuple[int, int]
) -> None:
    """The short side is at most the resolution's; no size is increased."""
    assert limit_size(*size, resolution) == limited


@given(st.integers(32, 1920), st.integers(32, 1920), st.sampled_from(sorted(RESOLUTIONS)))
def test_a_limited_size_is_even_and_within(half: int, other: int, resolution: str) -> None:
    """Sides are even and not increased; short side and area are within the limit."""
    width, height = 2 * half, 2 * other
    limited = limit_size(width, height, resolution)
    side = RESOLUTIONS[resolution]
    assert all(length % 2 == 0 for length in limited)
    assert limited[0] <= width
    assert limited[1] <= height
    assert min(limited) <= side
    assert limited[0] * limited[1] <= side * (side * 16 / 9) * 1.06


@given(st.sampled_from([24, 25, 30, 50, 60, 120]), st.integers(1, 144))
def test_a_limited_rate_has_whole_samples(rate: int, max_fps: int) -> None:
    """The rate is within both limits and has a whole number of samples per frame."""
    output = {"name": "a", "preset": "custom", "width": 64, "height": 64, "rate": rate}
    policy = OutputPolicy(max_fps=max_fps)
    limited = build_profile(Output.model_validate(output), policy=policy).rate
    assert 1 <= limited <= min(rate, max_fps)
    assert AUDIO_RATE % limited == 0
    assert limited >= min(rate, max_fps) * 0.8 or max_fps < 8


DRAFTS = [("youtube", (854, 480)), ("tiktok", (480, 854)), ("instagram_feed", (480, 480))]


@pytest.mark.parametrize(("preset", "size"), DRAFTS)
def test_a_draft_has_even_sides(preset: str, size: tuple[int, int]) -> None:
    """The short side is 480, the long one 854 instead of 853."""
    output = Output.model_validate({"name": "a", "preset": preset})
    profile = build_profile(output, quality=Quality.DRAFT)
    assert profile.size == size
    assert (profile.rate, profile.speed) == (15, "ultrafast")


PROFILE = Profile(width=640, height=360, rate=30, crf=19, speed="veryfast", max_bitrate=8_000_000)


def test_a_size_limit_decides_the_bit_rates() -> None:
    """10 MB for a minute are 1.28 Mbit/s for video and audio, rounded down by a step."""
    bitrates = choose_bitrates(PROFILE, frames=1800, max_bytes=10_000_000)
    assert bitrates.audio == 192_000
    assert 0.9 < bitrates.video / (1_280_000 - 192_000) <= 1
    assert choose_bitrates(PROFILE, frames=1800, max_bytes=None).video == 8_000_000
    assert choose_bitrates(PROFILE, frames=1800, max_bytes=2_000_000).audio == 96_000
    with pytest.raises(SizeLimitTooSmall, match=r"maxBytes 100000 for 60\.0s leaves 13 kbit/s"):
        choose_bitrates(PROFILE, frames=1800, max_bytes=100_000)


@given(st.integers(1, 100_000), st.integers(100_000, 2**40))
def test_bit_rates_fit_into_the_size(frames: int, max_bytes: int) -> None:
    """Video and audio at their bit rates fit into the size, or the size is refused."""
    try:
        bitrates = choose_bitrates(PROFILE, frames=frames, max_bytes=max_bytes)
    except SizeLimitTooSmall:
        return
    assert MIN_VIDEO_BITRATE <= bitrates.video <= PROFILE.max_bitrate
    assert (bitrates.video + bitrates.audio) * frames / PROFILE.rate / 8 <= max_bytes


def test_the_next_attempt_is_lower() -> None:
    """A file twice as large as allowed is encoded again at less than half the bit rate."""
    limited = limit_bitrate(PROFILE, 1_000_000)
    reduced = reduce_bitrate(limited, size_bytes=2_000_000, max_bytes=1_000_000)
    assert reduced.max_bitrate == 465_000
    assert reduced.buffer == 232_500
