"""From an output to the form it is encoded in: platform, tier, quality and size each have a say."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import NamedTuple

from clipmill.protocol import OutputPolicy, Profile
from clipmill.spec import AUDIO_RATE, Output, Quality


class Preset(NamedTuple):
    """One platform: pixels, frames a second, bit/s, and seconds it accepts (None: any)."""

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
CUSTOM_BITRATE = 8_000_000
CRF = {"mp4": 19, "webm": 28}
SPEED = "veryfast"
DRAFT_SIDE = 480
DRAFT_RATE = 15
DRAFT = {"max_bitrate": 2_000_000, "speed": "ultrafast"}
DRAFT_CRF = {"mp4": 28, "webm": 40}
RESOLUTIONS = {"720p": 720, "1080p": 1080, "1440p": 1440, "2160p": 2160}


def build_profile(
    output: Output, *, terms: OutputPolicy | None = None, quality: Quality = Quality.FINAL
) -> Profile:
    """The form of an output, within the tier's limits; a draft's is small and fast."""
    terms = terms or OutputPolicy()
    preset, container = PRESETS.get(output.preset) or _custom(output), output.container or "mp4"
    width, height = limit_size(preset.width, preset.height, terms.max_resolution)
    form = Profile(
        width=width,
        height=height,
        rate=_rate(min(preset.rate, terms.max_fps or preset.rate)),
        crf=CRF[container],
        speed=SPEED,
        max_bitrate=preset.max_bitrate,
        encoder="libvpx-vp9" if container == "webm" else terms.encoder,
    )
    return form if quality is Quality.FINAL else _draft(form)


def _custom(output: Output) -> Preset:
    if output.width is None or output.height is None or output.rate is None:
        raise ValueError(f"output {output.name!r}: preset custom needs width, height and rate")
    return Preset(output.width, output.height, output.rate, CUSTOM_BITRATE, None)


def _rate(wanted: int) -> int:
    """The highest rate up to `wanted` with a whole number of samples in each frame."""
    return next(rate for rate in range(wanted, 0, -1) if AUDIO_RATE % rate == 0)


def _draft(form: Profile) -> Profile:
    size = dict(zip(("width", "height"), _within(form.width, form.height, DRAFT_SIDE), strict=True))
    rest = {"rate": min(form.rate, DRAFT_RATE), "crf": DRAFT_CRF[form.container], **DRAFT}
    return form.model_copy(update={**size, **rest})


def limit_size(width: int, height: int, resolution: str | None) -> tuple[int, int]:
    """The largest size of the same shape whose short side and area a resolution allows."""
    if resolution is None:
        return width, height
    side = RESOLUTIONS[resolution]
    # A very long frame keeps to the area of the resolution's 16:9, too.
    by_area = isqrt(side * (side * 16 // 9) * min(width, height) // max(width, height))
    return _within(width, height, min(side, by_area))


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    """Scaled by one factor so that the short side is at most `side`; both sides even."""
    share = min(Fraction(1), Fraction(side, min(width, height)))
    return _even(width * share), _even(height * share)


def _even(length: Fraction) -> int:
    return max(2, round(length / 2) * 2)


def max_length_s(preset: str) -> int | None:
    """Longest result in seconds that the platform takes; None: no limit."""
    known = PRESETS.get(preset)
    return known.max_length_s if known else None
