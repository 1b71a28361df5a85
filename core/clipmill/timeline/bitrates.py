"""How many bits a second a file may have that must not be larger than so many bytes."""

from __future__ import annotations

from typing import NamedTuple

from clipmill.protocol import Profile

AUDIO_BITRATE = 192_000
OVERHEAD = 0.96
"""What is left for picture and sound: the rest is the container and the controls' slack."""
SOUND = ((1_200_000, AUDIO_BITRATE), (500_000, 128_000), (250_000, 96_000), (0, 64_000))
"""From so many bit/s in all on, so many for the sound."""
LEAST = 50_000
"""Under this a picture cannot be made out, whatever its size."""
STEPS = 8
"""Steps in each doubling: a small edit keeps the rate, and with it all segments."""


class TooFewBytes(ValueError):
    """The size does not suffice for the length. Says both."""


class Bitrates(NamedTuple):
    """bit/s of picture and sound."""

    video: int
    audio: int


def choose_bitrates(form: Profile, *, frames: int, max_bytes: int | None) -> Bitrates:
    """The rates of an output of so many frames. Raises TooFewBytes."""
    if max_bytes is None:
        return Bitrates(form.max_bitrate, AUDIO_BITRATE)
    length_s = frames / form.rate
    total = max_bytes * 8 * OVERHEAD / length_s
    audio = next(sound for least, sound in SOUND if total >= least)
    if total - audio < LEAST:
        needed = round((LEAST + audio) * length_s / 8 / OVERHEAD)
        raise TooFewBytes(
            f"maxBytes {max_bytes} for {length_s:.1f}s leaves {round(total / 1000)} kbit/s;"
            f" at least {needed} bytes are needed"
        )
    return Bitrates(min(form.max_bitrate, _step(total - audio)), audio)


def _step(bitrate: float) -> int:
    """The rate rounded down to a step."""
    step = LEAST
    while step * 2 ** (1 / STEPS) <= bitrate:
        step = round(step * 2 ** (1 / STEPS))
    return step


def limit_bitrate(form: Profile, video: int) -> Profile:
    """A form with a lower ceiling, held within half a second."""
    return form.model_copy(update={"max_bitrate": video, "buffer": video // 2})


def reduce_bitrate(form: Profile, *, size_bytes: int, max_bytes: int) -> Profile:
    """The form to try next after a file came out larger than it may be."""
    return limit_bitrate(form, max(1_000, int(form.max_bitrate * 0.93 * max_bytes / size_bytes)))
