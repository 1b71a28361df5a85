"""Which key frames the prober decodes to see whether a video changes its form."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from av.packet import Packet

from clipmill_probe.spot_checks import SpotChecks

SPS, OTHER_SPS, PICTURE = b"\x67one", b"\x67another", b"\x65picture"
AVCC = b"\x01\x64\x00\x1f\xff"


def _context(name: str, header: bytes = b"") -> Any:
    return SimpleNamespace(name=name, extradata=header)


def _packet(content: bytes, *, is_key: bool = True) -> Any:
    packet = Packet(content)
    packet.is_keyframe = is_key
    return packet


def _started(units: list[bytes]) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


def _measured(units: list[bytes]) -> bytes:
    return b"".join(len(unit).to_bytes(4) + unit for unit in units)


@pytest.mark.parametrize(("frame", "header"), [(_started, b""), (_measured, AVCC)])
def test_a_key_frame_after_other_headers_is_decoded(frame: Any, header: bytes) -> None:
    """However soon it comes; equal headers and missing ones are no change."""
    checks = SpotChecks(_context("h264", header), Fraction(3600))
    contents = [[SPS, PICTURE], [SPS, PICTURE], [PICTURE], [OTHER_SPS, PICTURE], [OTHER_SPS]]
    due = [
        checks.is_due(_packet(frame(units)), Fraction(i, 30)) for i, units in enumerate(contents)
    ]
    assert due == [True, False, False, True, False]


@pytest.mark.parametrize("codec", ["vp8", "vp9", "mpeg2video"])
def test_the_head_of_a_key_frame_is_compared(codec: str) -> None:
    """It holds the size; what follows changes with each picture."""
    checks = SpotChecks(_context(codec), Fraction(3600))
    heads = [b"A" * 16 + b"1", b"A" * 16 + b"2", b"B" * 16 + b"3"]
    due = [checks.is_due(_packet(head), Fraction(i, 30)) for i, head in enumerate(heads)]
    assert due == [True, False, True]


def test_few_key_frames_of_a_long_file_are_decoded() -> None:
    """At regular distances; of a short file one a second, and never another picture."""
    long, short = (SpotChecks(_context("prores"), Fraction(s)) for s in (3600, 10))
    assert sum(long.is_due(_packet(b"x"), Fraction(i)) for i in range(3600)) <= 33
    assert sum(short.is_due(_packet(b"x"), Fraction(i, 30)) for i in range(300)) == 10
    assert not short.is_due(_packet(b"x", is_key=False), Fraction(20))
