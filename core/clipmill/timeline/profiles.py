"""Build the encoding profile of an output from its preset, the owner's tier and the quality."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from clipmill.protocol import OutputPolicy, Profile
from clipmill.spec import AUDIO_RATE, Output, Quality
from clipmill.timeline.presets import PRESETS, Preset

CUSTOM_BITRATE = 8_000_000
CRF = {"mp4": 19, "webm": 28}
SPEED = "veryfast"
DRAFT_SHORT_SIDE = 480
DRAFT_RATE = 15
DRAFT_ENCODING = {"max_bitrate": 2_000_000, "speed": "ultrafast"}
DRAFT_CRF = {"mp4": 28, "webm": 40}
# Short side in pixels of each resolution.
RESOLUTIONS = {"720p": 720, "1080p": 1080, "1440p": 1440, "2160p": 2160}


def build_profile(
    output: Output, *, policy: OutputPolicy | None = None, quality: Quality = Quality.FINAL
) -> Profile:
    """Return the encoding of an output within the limits of the policy."""
    policy = policy or OutputPolicy()
    preset = PRESETS.get(output.preset) or _custom_preset(output)
    container = output.container or "mp4"
    width, height = limit_size(preset.width, preset.height, policy.max_resolution)
    profile = Profile(
        width=width,
        height=height,
        rate=_exact_rate(min(preset.rate, policy.max_fps or preset.rate)),
        crf=CRF[container],
        speed=SPEED,
        max_bitrate=preset.max_bitrate,
        encoder="libvpx-vp9" if container == "webm" else policy.encoder,
    )
    return profile if quality is Quality.FINAL else _draft(profile)


def _custom_preset(output: Output) -> Preset:
    if output.width is None or output.height is None or output.rate is None:
        raise ValueError(f"output {output.name!r}: preset custom needs width, height and rate")
    return Preset(output.width, output.height, output.rate, CUSTOM_BITRATE, None)


def _exact_rate(max_rate: int) -> int:
    """Return the highest frame rate up to a limit with a whole number of samples per frame."""
    return next(rate for rate in range(max_rate, 0, -1) if AUDIO_RATE % rate == 0)


def _draft(profile: Profile) -> Profile:
    width, height = _scale_down(profile.width, profile.height, DRAFT_SHORT_SIDE)
    return profile.model_copy(
        update={
            "width": width,
            "height": height,
            "rate": min(profile.rate, DRAFT_RATE),
            "crf": DRAFT_CRF[profile.container],
            **DRAFT_ENCODING,
        }
    )


def limit_size(width: int, height: int, resolution: str | None) -> tuple[int, int]:
    """Return the largest size of the same aspect ratio within a resolution.

    The resolution limits the short side, and the area to that of a 16:9 frame.
    """
    if resolution is None:
        return width, height
    side = RESOLUTIONS[resolution]
    short_side_by_area = isqrt(side * (side * 16 // 9) * min(width, height) // max(width, height))
    return _scale_down(width, height, min(side, short_side_by_area))


def _scale_down(width: int, height: int, short_side: int) -> tuple[int, int]:
    factor = min(Fraction(1), Fraction(short_side, min(width, height)))
    return _even(width * factor), _even(height * factor)


def _even(length: Fraction) -> int:
    return max(2, round(length / 2) * 2)
