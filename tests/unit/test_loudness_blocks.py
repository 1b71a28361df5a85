"""The loudness of a part of a track, from the levels of its blocks."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipmill.timeline.loudness_blocks import (
    LONG_TRACK_BLOCKS,
    decode_blocks,
    encode_blocks,
    range_loudness,
)

LEVELS = [-70.0] * 10 + [-40.0] * 10 + [-20.0] * 10
PARTS = [
    (Fraction(0), Fraction(1), None),
    (Fraction(1), Fraction(2), -40.0),
    (Fraction(2), Fraction(3), -20.0),
    # The relative gate leaves the quiet blocks out.
    (Fraction(1), Fraction(3), -20.0),
    (Fraction(21, 10), Fraction(22, 10), -20.0),
    (Fraction(9), Fraction(10), None),
]


@pytest.mark.parametrize(("start_s", "end_s", "expected"), PARTS)
def test_parts(start_s: Fraction, end_s: Fraction, expected: float | None) -> None:
    """Blocks are gated by EBU R128; short parts take the nearest block, later ones are silent."""
    blocks, hop_ms = encode_blocks(LEVELS)
    loudness = range_loudness(blocks, hop_ms=hop_ms, start_s=start_s, end_s=end_s)
    assert loudness == (expected if expected is None else pytest.approx(expected))


@given(st.lists(st.floats(-120, 20), max_size=40))
def test_levels_are_kept_to_a_tenth(levels: list[float]) -> None:
    """Every level from the gate up is kept to half a tenth; lower ones are silence."""
    blocks, _ = encode_blocks(levels)
    for kept, level in zip(decode_blocks(blocks), levels, strict=True):
        assert kept == pytest.approx(max(-70.0, level), abs=0.0501)


def test_a_long_track_keeps_every_fourth_block() -> None:
    """Twelve hours take a fifth of a megabyte, and positions stay right."""
    levels = [-30.0] * LONG_TRACK_BLOCKS + [-10.0] * LONG_TRACK_BLOCKS
    blocks, hop_ms = encode_blocks(levels)
    assert (hop_ms, len(blocks)) == (400, LONG_TRACK_BLOCKS)
    start_s = Fraction(LONG_TRACK_BLOCKS, 10)
    for at_s, expected in ((start_s - 100, -30.0), (start_s, -10.0)):
        loudness = range_loudness(blocks, hop_ms=hop_ms, start_s=at_s, end_s=at_s + 50)
        assert loudness == pytest.approx(expected)
