"""Choose the bit rates of an output whose file size is limited."""

from __future__ import annotations

from typing import NamedTuple

from clipmill.protocol import Profile

AUDIO_BITRATE = 192_000
# Share of the file that is left for video and audio. The rest is taken by the container and by
# the tolerance of the rate control.
PAYLOAD_SHARE = 0.96
# Pairs of (bit/s in total at least, bit/s for audio).
AUDIO_BITRATES = ((1_200_000, AUDIO_BITRATE), (500_000, 128_000), (250_000, 96_000), (0, 64_000))
# Below this rate in bit/s no picture is recognizable, whatever its size.
MIN_VIDEO_BITRATE = 50_000
# Bit rates are rounded to steps, eight per doubling, so that a small edit keeps the bit rate and
# with it all segments.
STEPS_PER_DOUBLING = 8


class SizeLimitTooSmall(ValueError):
    """The size limit does not suffice for the length; the message holds both."""


class Bitrates(NamedTuple):
    """Bit rates of video and audio in bit/s."""

    video: int
    audio: int


def choose_bitrates(profile: Profile, *, frames: int, max_bytes: int | None) -> Bitrates:
    """Return the bit rates of an output.

    Args:
        profile: Encoding of the output, with its frame rate and highest bit rate.
        frames: Length of the output.
        max_bytes: Largest file allowed, or None for any size.

    Raises:
        SizeLimitTooSmall: No usable bit rate fits into the size.
    """
    if max_bytes is None:
        return Bitrates(profile.max_bitrate, AUDIO_BITRATE)
    length_s = frames / profile.rate
    total = max_bytes * 8 * PAYLOAD_SHARE / length_s
    audio = next(bitrate for at_least, bitrate in AUDIO_BITRATES if total >= at_least)
    if total - audio < MIN_VIDEO_BITRATE:
        needed = round((MIN_VIDEO_BITRATE + audio) * length_s / 8 / PAYLOAD_SHARE)
        raise SizeLimitTooSmall(
            f"maxBytes {max_bytes} for {length_s:.1f}s leaves {round(total / 1000)} kbit/s;"
            f" at least {needed} bytes are needed"
        )
    return Bitrates(min(profile.max_bitrate, _round_down(total - audio)), audio)


def _round_down(bitrate: float) -> int:
    step = MIN_VIDEO_BITRATE
    while step * 2 ** (1 / STEPS_PER_DOUBLING) <= bitrate:
        step = round(step * 2 ** (1 / STEPS_PER_DOUBLING))
    return step


def limit_bitrate(profile: Profile, video: int) -> Profile:
    """Return the profile with a lower ceiling, and a buffer of half a second."""
    return profile.model_copy(update={"max_bitrate": video, "buffer": video // 2})


def reduce_bitrate(profile: Profile, *, size_bytes: int, max_bytes: int) -> Profile:
    """Return the profile to try after a file turned out larger than allowed."""
    reduced = int(profile.max_bitrate * 0.93 * max_bytes / size_bytes)
    return limit_bitrate(profile, max(1_000, reduced))
