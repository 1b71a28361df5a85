"""The form of an output: platform, tier and quality each have their say; sizes stay even."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipmill.protocol import OutputPolicy, Profile
from clipmill.spec import AUDIO_RATE, Output, Quality
from clipmill.timeline.bitrates import MIN_VIDEO_BITRATE, SizeLimitTooSmall, limit_bitrate, reduce_bitrate, choose_bitrates
from clipmill.timeline.presets import PRESETS, max_length_s
from clipmill.timeline.profiles import RESOLUTIONS, build_profile, limit_size

BEHAVIOUR = {
    "youtube": (1920, 1080, 30, 8_000_000, None),
    "youtube_shorts": (1080, 1920, 30, 5_000_000, 60),
    "tiktok": (1080, 1920, 30, 5_000_000, 600),
    "instagram_feed": (1080, 1080, 30, 5_000_000, 60),
    "instagram_reel": (1080, 1920, 30, 5_000_000, 90),
    "instagram_story": (1080, 1920, 30, 5_000_000, 60),
    "twitter": (1920, 1080, 30, 6_000_000, 140),
    "facebook": (1920, 1080, 30, 8_000_000, None),
    "twitch": (1920, 1080, 60, 8_000_000, 60),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_each_platform(preset: str) -> None:
    """Size, rate, bit rate and longest video as the platform wants them."""
    form = build_profile(Output.model_validate({"name": "a", "preset": preset}))
    found = (form.width, form.height, form.rate, form.max_bitrate, max_length_s(preset))
    assert found == BEHAVIOUR[preset]
    assert (form.encoder, form.container) == ("libx264", "mp4")


def test_no_platform_is_forgotten() -> None:
    """Nine with a form of their own; the tenth is custom."""
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


@pytest.mark.parametrize(("size", "resolution", "wanted"), CAPS)
def test_a_cap_keeps_the_shape(
    size: tuple[int, int], resolution: str | None, wanted: tuple[int, int]
) -> None:
    """The short side is at most the resolution's; nothing is made larger."""
    assert limit_size(*size, resolution) == wanted


@given(st.integers(32, 1920), st.integers(32, 1920), st.sampled_from(sorted(RESOLUTIONS)))
def test_a_capped_size_is_even_and_within(half: int, other: int, resolution: str) -> None:
    """For every size: even, no larger than before, short side and area within the cap."""
    width, height = 2 * half, 2 * other
    found = limit_size(width, height, resolution)
    side = RESOLUTIONS[resolution]
    assert all(length % 2 == 0 for length in found)
    assert found[0] <= width
    assert found[1] <= height
    assert min(found) <= side
    assert found[0] * found[1] <= side * (side * 16 / 9) * 1.06


@given(st.sampled_from([24, 25, 30, 50, 60, 120]), st.integers(1, 144))
def test_a_rate_within_the_tiers_has_whole_samples(rate: int, most: int) -> None:
    """At most what is wanted, at most what is allowed, and a whole number of samples a frame."""
    wish = {"name": "a", "preset": "custom", "width": 64, "height": 64, "rate": rate}
    found = build_profile(Output.model_validate(wish), policy=OutputPolicy(max_fps=most)).rate
    assert 1 <= found <= min(rate, most)
    assert AUDIO_RATE % found == 0
    assert found >= min(rate, most) * 0.8 or most < 8


DRAFTS = [("youtube", (854, 480)), ("tiktok", (480, 854)), ("instagram_feed", (480, 480))]


@pytest.mark.parametrize(("preset", "size"), DRAFTS)
def test_a_draft_has_even_sides(preset: str, size: tuple[int, int]) -> None:
    """480 on the short side, 854 and not 853 on the long one, 15 frames a second, fast."""
    output = Output.model_validate({"name": "a", "preset": preset})
    form = build_profile(output, quality=Quality.DRAFT)
    assert form.size == size
    assert (form.rate, form.speed) == (15, "ultrafast")


FORM = Profile(width=640, height=360, rate=30, crf=19, speed="veryfast", max_bitrate=8_000_000)


def test_a_size_becomes_a_rate() -> None:
    """10 MB for a minute: 1.28 Mbit/s for picture and sound, in steps of a tenth."""
    found = choose_bitrates(FORM, frames=1800, max_bytes=10_000_000)
    assert found.audio == 192_000
    assert 0.9 < found.video / (1_280_000 - 192_000) <= 1
    assert choose_bitrates(FORM, frames=1800, max_bytes=None).video == 8_000_000
    assert choose_bitrates(FORM, frames=1800, max_bytes=2_000_000).audio == 96_000
    with pytest.raises(SizeLimitTooSmall, match=r"maxBytes 100000 for 60\.0s leaves 13 kbit/s"):
        choose_bitrates(FORM, frames=1800, max_bytes=100_000)


@given(st.integers(1, 100_000), st.integers(100_000, 2**40))
def test_a_rate_keeps_its_promise(frames: int, max_bytes: int) -> None:
    """Picture and sound at their rates fit into the bytes, or are refused."""
    try:
        found = choose_bitrates(FORM, frames=frames, max_bytes=max_bytes)
    except SizeLimitTooSmall:
        return
    assert MIN_VIDEO_BITRATE <= found.video <= FORM.max_bitrate
    assert (found.video + found.audio) * frames / FORM.rate / 8 <= max_bytes


def test_the_next_try_is_lower() -> None:
    """A file twice as large as allowed is made again at less than half the rate."""
    form = limit_bitrate(FORM, 1_000_000)
    again = reduce_bitrate(form, size_bytes=2_000_000, max_bytes=1_000_000)
    assert again.max_bitrate == 465_000
    assert again.buffer == 232_500
