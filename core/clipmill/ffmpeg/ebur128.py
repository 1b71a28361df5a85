"""What ffmpeg's EBU R128 meter says. Light to load: every prober's child reads it."""

from __future__ import annotations

import re
from typing import NamedTuple

GATE_LUFS = -69.0
"""The meter says -70 for silence and for anything shorter than its window of 0.4 s."""
_INTEGRATED = re.compile(r"\bI:\s+(-?[0-9.]+) LUFS")
_PEAK = re.compile(r"\bPeak:\s+(-?[0-9.]+|-inf) dBFS")


class Loudness(NamedTuple):
    """What the meter found. None: silence."""

    lufs: float | None
    peak_dbtp: float | None


SILENCE = Loudness(None, None)


def parse_loudness(text: str) -> Loudness:
    """Read the meter's last summary in ffmpeg's log."""
    integrated, peaks = _INTEGRATED.findall(text), _PEAK.findall(text)
    if not integrated or float(integrated[-1]) < GATE_LUFS:
        return SILENCE
    return Loudness(float(integrated[-1]), float(peaks[-1]) if peaks else None)
