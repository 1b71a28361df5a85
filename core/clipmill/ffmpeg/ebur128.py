"""Parse the summary of ffmpeg's EBU R128 meter.

Imports only the standard library, since every child process of the prober loads this module.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# The meter reports -70 for silence and for audio shorter than its window of 0.4 s.
SILENCE_LUFS = -69.0
_INTEGRATED = re.compile(r"\bI:\s+(-?[0-9.]+) LUFS")
_PEAK = re.compile(r"\bPeak:\s+(-?[0-9.]+|-inf) dBFS")


class Loudness(NamedTuple):
    """A measurement of the meter. Both values are None for silence."""

    lufs: float | None
    peak_dbtp: float | None


SILENCE = Loudness(None, None)


def parse_loudness(log: str) -> Loudness:
    """Return the last summary of the meter in ffmpeg's log."""
    integrated, peaks = _INTEGRATED.findall(log), _PEAK.findall(log)
    if not integrated or float(integrated[-1]) < SILENCE_LUFS:
        return SILENCE
    return Loudness(float(integrated[-1]), float(peaks[-1]) if peaks else None)
