"""Platform presets: the size, rate and ceiling that a named platform wants."""

from __future__ import annotations

from typing import NamedTuple

from clipmill.contract import Output, Profile


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
}
CRF = 19
SPEED = "veryfast"


def profile(output: Output) -> Profile:
    """The encoding form of an output: its preset's, or the sizes given with `custom`."""
    preset = PRESETS.get(output.preset) or _custom(output)
    return Profile(
        width=preset.width,
        height=preset.height,
        rate=preset.rate,
        crf=CRF,
        speed=SPEED,
        max_bitrate=preset.max_bitrate,
    )


def _custom(output: Output) -> Preset:
    if output.width is None or output.height is None or output.rate is None:
        raise ValueError(f"output {output.name!r}: preset custom needs width, height and rate")
    return Preset(output.width, output.height, output.rate, 8_000_000, None)


def max_length_s(preset: str) -> int | None:
    """Longest result in seconds that the platform takes; None: no limit."""
    known = PRESETS.get(preset)
    return known.max_length_s if known else None
