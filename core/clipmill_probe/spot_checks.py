"""Choose the key frames that show whether the form of a video changes in mid-stream.

A size, an aspect or a pixel format is announced with a key frame. Where the codec announces it in
a header of known place, key frames after another header are decoded. Of all codecs, some more are
decoded at regular distances.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

from av.codec.context import CodecContext
from av.packet import Packet

# Key frames that are decoded at regular distances of a file, and their smallest distance.
MAX_REGULAR_CHECKS = 32
SHORTEST_DISTANCE_S = Fraction(1)
# Announces headers of a container that changes them in mid-stream.
NEW_HEADERS: Literal["new_extradata"] = "new_extradata"
START_CODE = b"\x00\x00\x01"
# Types of the NAL units that hold size, aspect and pixel format, and where the type is in its byte.
SEQUENCE_UNITS = {"h264": (7, 0, 0x1F), "hevc": (33, 1, 0x3F)}
# Where the head of a key frame holds its size.
HEADS = {
    "vp8": slice(3, 10),
    "vp9": slice(0, 9),
    "av1": slice(0, 12),
    "mpeg1video": slice(0, 8),
    "mpeg2video": slice(0, 8),
}


class SpotChecks:
    """Decides of each key frame of a stream whether it is decoded.

    Args:
        context: The stream's decoder.
        length_s: Length of the file in seconds, 0 if it is not declared.
    """

    def __init__(self, context: CodecContext, length_s: Fraction) -> None:
        self._codec = context.name
        self._length_bytes = _length_bytes(self._codec, context.extradata or b"")
        self._distance_s = max(SHORTEST_DISTANCE_S, length_s / MAX_REGULAR_CHECKS)
        self._next_s: Fraction | None = None
        self._headers: bytes | None = None

    def is_due(self, packet: Packet[Any], at_s: Fraction) -> bool:
        """Return whether to decode a packet that is shown `at_s` seconds after the start."""
        if not packet.is_keyframe:
            return False
        headers = self._sequence_headers(packet)
        changed = self._headers is not None and headers not in (b"", self._headers)
        self._headers = headers or self._headers
        regular = self._next_s is None or at_s >= self._next_s
        if regular:
            self._next_s = at_s + self._distance_s
        return regular or changed or packet.has_sidedata(NEW_HEADERS)

    def _sequence_headers(self, packet: Packet[Any]) -> bytes:
        """Return what announces the form of the pictures from a key frame on, if it is there."""
        if self._codec in HEADS:
            return bytes(memoryview(packet)[HEADS[self._codec]])
        if self._codec not in SEQUENCE_UNITS:
            return b""
        number, shift, mask = SEQUENCE_UNITS[self._codec]
        units = _units(bytes(packet), self._length_bytes)
        return b"".join(unit for unit in units if unit and unit[0] >> shift & mask == number)


def _length_bytes(codec: str, header: bytes) -> int:
    """Return the size of the length before each NAL unit; 0 where start codes separate them."""
    at = {"h264": 4, "hevc": 21}.get(codec, 0)
    return (header[at] & 3) + 1 if at and len(header) > at and header[0] == 1 else 0


def _units(data: bytes, length_bytes: int) -> Iterator[bytes]:
    if not length_bytes:
        yield from (unit.rstrip(b"\x00") for unit in data.split(START_CODE)[1:])
        return
    at = 0
    while at + length_bytes < len(data):
        length = int.from_bytes(data[at : at + length_bytes])
        at += length_bytes
        yield data[at : at + length]
        at += length
