"""The ends of streams follow from the time stamps of all packets, also where the clock jumps."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from av.packet import Packet

from clipmill_probe.stream_ends import StreamEnds

BASES = (Fraction(1, 90_000), Fraction(1, 48_000))
FRAME_S = Fraction(1, 30)


def packet(base: Fraction, pts: int, duration: int) -> Packet[None]:
    made: Packet[None] = Packet(1)
    made.time_base, made.pts, made.duration = base, pts, duration
    return made


@pytest.mark.parametrize("seed", range(20))
def test_ends_are_those_of_fractions(seed: int) -> None:
    chance = random.Random(seed)
    ends, origin_s = StreamEnds(), Fraction(chance.randrange(-50, 50), 7)
    declared: dict[int, list[Fraction]] = {0: [], 1: []}
    default: dict[int, list[Fraction]] = {0: [], 1: []}
    stamps = []
    for _ in range(200):
        if chance.random() < 0.05:
            origin_s += Fraction(chance.randrange(-90, 90), 11)
        index, pts = chance.randrange(2), chance.randrange(-10_000, 9_000_000)
        duration = chance.choice((0, 1024, 3003))
        ends.count(index, packet(BASES[index], pts, duration), origin_s)
        stamp_s = (pts + duration) * BASES[index]
        stamps.append(stamp_s)
        declared[index].append(stamp_s - origin_s)
        default[index].append(stamp_s - origin_s + (0 if duration else FRAME_S))
    for index, ends_s in declared.items():
        assert ends.end_s(index) == max(ends_s)
        assert ends.end_s(index, FRAME_S) == max(default[index])
    assert ends.latest_s() == max(declared[0] + declared[1])
    assert ends.latest_stamp_s() == max(stamps)


def test_no_packets() -> None:
    ends = StreamEnds()
    assert ends.end_s(0) is None
    assert ends.latest_stamp_s() is None
    assert ends.latest_s() == 0


def test_ends_before_the_origin() -> None:
    ends, origin_s = StreamEnds(), Fraction(5)
    ends.count(0, packet(BASES[0], 90_000, 3_000), origin_s)
    assert ends.end_s(0) == Fraction(93_000, 90_000) - 5
    # Asked in the middle, the count goes on.
    ends.count(0, packet(BASES[0], 180_000, 0), origin_s)
    assert ends.end_s(0, FRAME_S) == 2 + FRAME_S - 5
