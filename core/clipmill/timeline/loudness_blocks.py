"""Compute the loudness of any part of a track from the loudness of each of its 400 ms blocks.

The blocks are the gating blocks of EBU R128 (ITU-R BS.1770-4). A part's loudness follows from the
blocks within it, so no file is measured again when a clip is trimmed.

Imports only the standard library, since every child process of the prober loads this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest
from math import log10
from string import ascii_letters, digits

BLOCK_S = Fraction(2, 5)
HOP_MS = 100
# Blocks of a track longer than an hour are kept without overlap, for a quarter of the size.
LONG_TRACK_BLOCKS = 36_000
LONG_TRACK_STEP = 4
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
# A level takes two characters: tenths of a decibel above the absolute gate, in base 64.
_ALPHABET = digits + ascii_letters + "-_"
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
_BASE = len(_ALPHABET)


def encode_blocks(levels: Sequence[float]) -> tuple[str, int]:
    """Return the levels of blocks in LUFS as text, and the distance of two blocks in ms."""
    step = LONG_TRACK_STEP if len(levels) > LONG_TRACK_BLOCKS else 1
    return "".join(_encoded(level) for level in levels[::step]), step * HOP_MS


def _encoded(level: float) -> str:
    tenths = round((level - ABSOLUTE_GATE_LUFS) * 10)
    high, low = divmod(max(0, min(tenths, _BASE**2 - 1)), _BASE)
    return _ALPHABET[high] + _ALPHABET[low]


def add_blocks(one: str, other: str) -> str:
    """Return the blocks of two tracks that are heard together, whose energies add up."""
    pairs = zip_longest(decode_blocks(one), decode_blocks(other), fillvalue=ABSOLUTE_GATE_LUFS)
    return "".join(_encoded(_sum_level(a, b)) for a, b in pairs)


def _sum_level(one: float, other: float) -> float:
    if ABSOLUTE_GATE_LUFS in (one, other):
        return max(one, other)
    return 10 * log10(_energy(one) + _energy(other))


def decode_blocks(text: str) -> list[float]:
    """Return the levels in LUFS; silence is at the absolute gate."""
    return [
        ABSOLUTE_GATE_LUFS + (_VALUES[high] * _BASE + _VALUES[low]) / 10
        for high, low in zip(text[::2], text[1::2], strict=True)
    ]


def range_loudness(blocks: str, *, hop_ms: int, start_s: Fraction, end_s: Fraction) -> float | None:
    """Return the integrated loudness of a part of a track in LUFS, or None for silence.

    A part that holds no whole block has the loudness of the block that begins last before it.

    Args:
        blocks: Loudness of each block, from the start of the file.
        hop_ms: Distance of two blocks.
        start_s: Start of the part.
        end_s: End of the part.
    """
    hop = Fraction(hop_ms, 1000)
    first = -int(-start_s // hop)
    end = int((end_s - BLOCK_S) // hop) + 1
    if end <= first:
        first = min(int(start_s // hop), len(blocks) // 2 - 1)
        end = first + 1
    return integrated_loudness(decode_blocks(blocks[2 * max(0, first) : 2 * end]))


def integrated_loudness(levels: Sequence[float]) -> float | None:
    """Return the gated mean of the levels in LUFS, or None if all are silent."""
    audible = [_energy(level) for level in levels if level > ABSOLUTE_GATE_LUFS]
    if not audible:
        return None
    gate = _mean(audible) * 10 ** (RELATIVE_GATE_LU / 10)
    return 10 * log10(_mean([energy for energy in audible if energy > gate]))


def _energy(level: float) -> float:
    return float(10 ** (level / 10))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
