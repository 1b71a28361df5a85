"""Levels of sound by small units of time, from which the loudness of any sequence follows.

EBU R128 measures blocks of 400 ms every 100 ms. Their energies are sums of the energies of
smaller units, so segments are measured once, wherever they are played.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from math import gcd, isnan, log10

from clipmill.ffmpeg.ebur128 import SILENCE, Loudness
from clipmill.spec import AUDIO_RATE
from clipmill.spec.base import Model
from clipmill.timeline.loudness_blocks import integrated_loudness

# Samples between two blocks of the meter, and how many of these a block has.
HOP_SAMPLES = AUDIO_RATE // 10
HOPS_PER_BLOCK = 4
# Of ITU-R BS.1770: the loudness of a block of mean square 1.
OFFSET_LUFS = -0.691
# Not above the absolute threshold of the meter.
SILENCE_LUFS = -120.0
_CHANNELS = 2
_LEVEL = re.compile(r"_level=(\S+)")


class SoundLevels(Model):
    """K-weighted mean square of both channels together, and true peak, of each unit of time."""

    unit_samples: int
    energies: list[float]
    # Amplitudes, 1 at full level.
    peaks: list[float]

    @property
    def peak(self) -> float:
        """Highest true peak, as amplitude."""
        return max(self.peaks, default=0.0)


def unit_samples(rate: int) -> int:
    """Return a unit of which both a frame of this rate and 100 ms are multiples."""
    return gcd(AUDIO_RATE // rate, HOP_SAMPLES)


def parse_levels(energies: str, peaks: str, *, unit: int, samples: int) -> SoundLevels:
    """Return the levels in the files of `clipmill.ffmpeg.level_meter`.

    Args:
        energies: Text of levels in dB, K-weighted.
        peaks: Text of peak levels in dB.
        unit: Samples per level.
        samples: Length of what was measured; what resampling has appended is left out.
    """
    count = -(-samples // unit)
    powers = [_CHANNELS * _amplitude(level) ** 2 for level in _LEVEL.findall(energies)[:count]]
    amplitudes = [_amplitude(level) for level in _LEVEL.findall(peaks)[:count]]
    padding = [0.0] * (count - len(amplitudes))
    return SoundLevels(unit_samples=unit, energies=powers, peaks=amplitudes + padding)


def _amplitude(level_db: str) -> float:
    amplitude = 10 ** (float(level_db) / 20)
    # Five digits are less than a thousandth of a decibel.
    return 0.0 if isnan(amplitude) else float(f"{amplitude:.5g}")


def loudness_of(parts: Sequence[SoundLevels]) -> Loudness:
    """Return loudness and true peak of parts that follow each other, all of one unit.

    Both are None for silence; the loudness also of less than 400 ms.
    """
    if not any(part.peak for part in parts):
        return SILENCE
    unit = parts[0].unit_samples
    hops = _hop_energies(chain.from_iterable(part.energies for part in parts), HOP_SAMPLES // unit)
    blocks = [
        sum(hops[i : i + HOPS_PER_BLOCK]) / HOPS_PER_BLOCK
        for i in range(len(hops) - HOPS_PER_BLOCK + 1)
    ]
    lufs = integrated_loudness([_lufs(energy) for energy in blocks])
    peak = 20 * log10(max(part.peak for part in parts))
    return SILENCE if lufs is None else Loudness(round(lufs, 2), round(peak, 2))


def _hop_energies(energies: Iterable[float], units: int) -> list[float]:
    """Return the mean energy of each whole hop."""
    values = list(energies)
    whole = len(values) - len(values) % units
    return [sum(values[i : i + units]) / units for i in range(0, whole, units)]


def _lufs(energy: float) -> float:
    return OFFSET_LUFS + 10 * log10(energy) if energy > 0 else SILENCE_LUFS
