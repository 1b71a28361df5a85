"""Where the streams of a file end, by the time stamps of all their packets.

Times are compared in ticks of each stream and become fractions of seconds only where the origin
changes: exact, and a quarter of the processor time for a file of many packets.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.packet import Packet


@dataclass(slots=True)
class _Ticks:
    """Latest end of all packets, and latest start of those that declare no duration, in ticks."""

    end: int
    undeclared: int | None = None

    def count(self, start: int, duration: int) -> None:
        self.end = max(self.end, start + duration)
        if not duration:
            self.undeclared = start if self.undeclared is None else max(start, self.undeclared)


class StreamEnd:
    """Follows the packets of one stream.

    Args:
        base_s: Seconds per tick of its time stamps.
    """

    def __init__(self, base_s: Fraction) -> None:
        self._base_s = base_s
        self._origin_s: Fraction | None = None
        self._ticks = _Ticks(0)
        # Under earlier origins: latest end, and latest start without a declared duration.
        self._ends_s: list[Fraction] = []
        self._undeclared_s: list[Fraction] = []
        self._last_stamp: int | None = None

    def count(self, packet: Packet[Any], origin_s: Fraction) -> None:
        """Take a packet.

        Args:
            packet: A packet that has a time stamp.
            origin_s: Time stamp in seconds at which the file starts, as of this packet. The same
                object as long as it does not change.
        """
        start, duration = packet.pts or 0, packet.duration or 0
        if self._origin_s is not origin_s:
            self._settle()
            self._origin_s, self._ticks = origin_s, _Ticks(start + duration)
        self._ticks.count(start, duration)

    def _settle(self) -> None:
        """Keep what was found under the origin that counted until now."""
        if self._origin_s is None:
            return
        end_s, undeclared_s = self._current_s(self._origin_s)
        self._ends_s = [max((*self._ends_s, end_s))]
        self._undeclared_s = [max(starts)] if (starts := self._undeclared_s + undeclared_s) else []
        self._last_stamp = max(self._ticks.end, self._last_stamp or self._ticks.end)

    def _current_s(self, origin_s: Fraction) -> tuple[Fraction, list[Fraction]]:
        ticks = self._ticks
        starts = [] if ticks.undeclared is None else [ticks.undeclared * self._base_s - origin_s]
        return ticks.end * self._base_s - origin_s, starts

    def end_s(self, default_duration_s: Fraction) -> Fraction:
        """Return the end in seconds after the start of the file; 0 without packets.

        Args:
            default_duration_s: Duration of packets that declare none.
        """
        self._settle()
        undeclared_s = (start_s + default_duration_s for start_s in self._undeclared_s)
        return max((*self._ends_s, *undeclared_s), default=Fraction(0))

    def stamp_s(self) -> Fraction:
        """Return the latest time stamp in seconds, before any origin; 0 without packets."""
        self._settle()
        return (self._last_stamp or 0) * self._base_s


class StreamEnds:
    """Follows the packets of all streams of a file."""

    def __init__(self) -> None:
        self._streams: dict[int, StreamEnd] = {}

    def count(self, index: int, packet: Packet[Any], origin_s: Fraction) -> None:
        """Take a packet of the stream of this index, as `StreamEnd.count` does."""
        stream = self._streams.get(index)
        if stream is None:
            stream = self._streams[index] = StreamEnd(Fraction(packet.time_base or 0))
        stream.count(packet, origin_s)

    def end_s(self, index: int, default_duration_s: Fraction = Fraction(0)) -> Fraction | None:
        """Return the end of a stream in seconds after the start of the file; None without packets.

        Args:
            index: Index of the stream.
            default_duration_s: Duration of packets that declare none.
        """
        stream = self._streams.get(index)
        return stream.end_s(default_duration_s) if stream else None

    def latest_s(self) -> Fraction:
        """Return the latest end in seconds after the start of the file; 0 without packets."""
        ends_s = (stream.end_s(Fraction(0)) for stream in self._streams.values())
        return max(ends_s, default=Fraction(0))

    def latest_stamp_s(self) -> Fraction | None:
        """Return the latest time stamp of all streams in seconds; None without packets."""
        return max((stream.stamp_s() for stream in self._streams.values()), default=None)
