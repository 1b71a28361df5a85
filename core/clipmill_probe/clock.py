"""The clock of a file whose time stamps jump or start again, as ffmpeg joins it when it reads it.

MPEG-TS recordings that were appended to each other are such files. The prober and the renderer
have to agree on one time line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from av.container import InputContainer
from av.packet import Packet

from clipmill_probe.stream_choice import CLOCK_RESTARTS, ChosenStreams

# ffmpeg's -dts_delta_threshold: a larger jump of a stream is no pause.
LARGEST_GAP_S = Fraction(10)
# A stream that goes back by more than this starts again.
LARGEST_STEP_BACK_S = Fraction(1, 10)


@dataclass(slots=True)
class _StreamClock:
    """Time stamps of the last packet of a stream and of the one that is to follow."""

    last_s: Fraction | None = None
    next_s: Fraction = Fraction(0)


class Clock:
    """Follows the streams that play."""

    def __init__(self, container: InputContainer, streams: ChosenStreams) -> None:
        self._may_restart = bool(container.format.flags & CLOCK_RESTARTS)
        played = (stream for stream in (streams.video, streams.audio) if stream is not None)
        self._streams: Mapping[int, _StreamClock] = {s.index: _StreamClock() for s in played}
        self._offset_s = Fraction(0)
        self._last_s: Fraction | None = None

    def offset_s(self, packet: Packet[Any]) -> Fraction:
        """Return what to add to the time stamps of a packet, the next one of the file.

        It is the same object until the clock jumps.
        """
        if not self._may_restart:
            return self._offset_s
        clock = self._streams.get(packet.stream.index)
        is_timed = packet.dts is not None and packet.time_base is not None and packet.size
        if clock is not None and is_timed:
            self._follow(packet, clock)
        return self._offset_s

    def _follow(self, packet: Packet[Any], clock: _StreamClock) -> None:
        base = Fraction(packet.time_base)
        now_s = (packet.dts or 0) * base + self._offset_s
        jump_s = self._jump_s(now_s, clock)
        if jump_s:
            self._offset_s -= jump_s
        clock.last_s = self._last_s = now_s - jump_s
        clock.next_s = clock.last_s + (packet.duration or 0) * base

    def _jump_s(self, now_s: Fraction, clock: _StreamClock) -> Fraction:
        """Return how far the clock has jumped; 0 where it just goes on, or pauses."""
        if clock.last_s is None:
            jump_s = now_s - self._last_s if self._last_s is not None else Fraction(0)
            return jump_s if abs(jump_s) > LARGEST_GAP_S else Fraction(0)
        jump_s = now_s - clock.next_s
        goes_back = now_s + LARGEST_STEP_BACK_S < clock.last_s
        return jump_s if abs(jump_s) > LARGEST_GAP_S or goes_back else Fraction(0)
