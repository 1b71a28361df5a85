"""A measurement by EBU R128.

Imports only the standard library, since every child process of the prober loads this module.
"""

from __future__ import annotations

from typing import NamedTuple

# The meter reports -70 for silence and for audio shorter than its window of 0.4 s.
SILENCE_LUFS = -69.0


class Loudness(NamedTuple):
    """A measurement of the meter. Both values are None for silence."""

    lufs: float | None
    peak_dbtp: float | None


SILENCE = Loudness(None, None)
