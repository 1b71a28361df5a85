"""Count the pictures in an interval of a file that cannot be decoded.

Runs in the prober's child process, for intervals of which ffmpeg complained when it rendered them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame

from clipmill_probe.clock import Clock
from clipmill_probe.decode import open_media, play_order
from clipmill_probe.sniff import sniff_container
from clipmill_probe.stream_choice import ChosenStreams, choose_streams
from clipmill_probe.video_track import limit_decoder


@dataclass(slots=True)
class _PictureCount:
    """Counts the packets of an interval, its pictures, and those that are broken."""

    start_s: Fraction
    end_s: Fraction
    packets: int = 0
    pictures: int = 0
    broken: int = 0

    def holds(self, at_s: Fraction) -> bool:
        return self.start_s <= at_s < self.end_s


@dataclass(frozen=True, slots=True)
class _TimedPacket:
    packet: Packet[Any]
    at_s: Fraction
    origin_s: Fraction


def count_pictures(path: Path, *, start_s: Fraction, end_s: Fraction) -> dict[str, int]:
    """Return the number of pictures between two times of a file, and of those that are broken.

    Args:
        path: A video file that the prober has accepted.
        start_s: Start of the interval after the start of the file in seconds.
        end_s: Its end.

    Raises:
        MediaError: The file cannot be opened.
    """
    demuxer = sniff_container(path)
    order = play_order(path, demuxer)
    count = _PictureCount(start_s, end_s)
    with open_media(path, demuxer) as container:
        key_frame = _key_frame_before(_packets(path.name, container, order.moving), start_s)
    with open_media(path, demuxer) as container:
        packets = _packets(path.name, container, order.moving)
        _decode(islice(packets, key_frame, None), count)
    broken = count.broken if count.pictures else count.packets
    return {"pictures": count.packets, "broken": broken}


def _packets(
    name: str, container: InputContainer, moving: tuple[int, ...]
) -> Iterator[_TimedPacket]:
    """Yield the packets of the pictures, up to an error of the demuxer."""
    videos = [container.streams[index] for index in moving]
    streams = choose_streams(name, container, videos)  # type: ignore[arg-type]
    limit_decoder(name, streams.video)
    # One packet at a time, so that an error is that of its packet.
    streams.video.thread_type = "SLICE"
    clock = Clock(container, streams)
    try:
        for packet in container.demux():
            timed = _timed(packet, streams, clock)
            if packet.stream is streams.video and packet.size and not packet.is_discard:
                yield timed
    except MemoryError:
        raise
    except av.FFmpegError:
        return


def _timed(packet: Packet[Any], streams: ChosenStreams, clock: Clock) -> _TimedPacket:
    origin_s = streams.origin_s - clock.offset_s(packet)
    time = packet.pts if packet.pts is not None else packet.dts
    at_s = Fraction(0) if time is None else time * Fraction(packet.time_base) - origin_s
    return _TimedPacket(packet, at_s, origin_s)


def _key_frame_before(packets: Iterator[_TimedPacket], start_s: Fraction) -> int:
    """Return the number of the key frame from which the pictures at `start_s` are decoded."""
    key_frame = 0
    for i, timed in enumerate(packets):
        if timed.at_s > start_s:
            return key_frame
        if timed.packet.is_keyframe:
            key_frame = i
    return key_frame


def _decode(packets: Iterator[_TimedPacket], count: _PictureCount) -> None:
    for timed in packets:
        if _decoding_s(timed) >= count.end_s:
            return
        is_inside = count.holds(timed.at_s)
        count.packets += int(is_inside)
        try:
            frames = timed.packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:
            count.broken += int(is_inside)
            continue
        for frame in frames:
            if _is_inside(frame, timed.origin_s, count):
                count.pictures += 1
                count.broken += int(frame.is_corrupt)


def _is_inside(frame: VideoFrame, origin_s: Fraction, count: _PictureCount) -> bool:
    if frame.pts is None or frame.time_base is None:
        return True
    return count.holds(frame.pts * Fraction(frame.time_base) - origin_s)


def _decoding_s(timed: _TimedPacket) -> Fraction:
    """Return when a packet is decoded, which is never after it is shown."""
    if timed.packet.dts is None:
        return timed.at_s
    return timed.packet.dts * Fraction(timed.packet.time_base) - timed.origin_s
