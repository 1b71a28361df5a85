"""Copy the packets of a part of a source, from the key frame before it on.

Time stamps are moved by whole seconds only, so that the part's frames meet the grid of an output
as they do in the whole source.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from clipmill_job.excerpting.opened_source import (
    OpenedSource,
    UnsuitableSource,
    open_fragments,
    open_indexed,
)
from clipmill_job.excerpting.part_groups import LEAD_US, TAIL_US, PartGroup, whole_reason
from clipmill_probe.stream_choice import choose_streams, video_streams

# How far back to seek, in seconds: an index is of decoding times.
BACK_S = (0, 1, 4, 16)
# The key frame may be this much later than asked for, since a playlist's times are rough.
LATER_S = Fraction(1, 2)
# What fragments that end early have after the part at least; the API asks for less.
LEAST_TAIL_US = 700_000
# Sound from before the first picture, which its decoder needs.
SOUND_LEAD_S = Fraction(1, 10)
# At this time the first picture of a file lies, so that no time stamp is below 0.
FILE_LEAD_S = 2
# Streams of a file are this far apart at most.
INTERLEAVING_S = 3
# A start beyond the end is for the planner to refuse, which needs the end.
LAST_US = 5_000_000


class TimedPacket(NamedTuple):
    """A packet with its decoding time in the source, in the order of copying."""

    at_s: Fraction
    source: int
    packet: Packet[Any]


def copy_part(request: dict[str, Any]) -> dict[str, Any]:
    """Copy a part and return where the file is, and what it holds.

    Args:
        request: `inputs`, each with `size` or of fragments; `spans` that are fetched of the source,
            `part`, the number of this one, and the `folder` to write to.

    Raises:
        UnsuitableSource: The whole source has to be fetched.
    """
    sources = _open_all(request["inputs"])
    groups = [PartGroup(**span) for span in request["spans"]]
    length_us = max(source.length_us for source in sources)
    sizes = [each.get("size") for each in request["inputs"]]
    size = sum(sizes) if all(sizes) else None
    if reason := whole_reason(groups, length_us, size):
        raise UnsuitableSource(reason)
    group = groups[request["part"]]
    start_us = max(0, min(group.start_us, length_us - LAST_US) - LEAD_US)
    copy = _PartCopy(sources, Fraction(start_us, 1_000_000), _seconds(group.end_us + TAIL_US))
    path = copy.write(Path(request["folder"]), f"part{request['part']}")
    if not copy.is_whole and copy.end_s < _seconds(group.end_us + LEAST_TAIL_US):
        raise UnsuitableSource("its fragments end before the part")
    at_us = round((_start_s(path) + copy.moved_s) * 1_000_000)
    rest_us = 0 if copy.is_end else max(1, length_us - round(copy.end_s * 1_000_000))
    return {"path": str(path), "at_us": at_us, "rest_us": rest_us}


def _seconds(time_us: int) -> Fraction:
    return Fraction(time_us, 1_000_000)


def _open_all(inputs: Sequence[dict[str, Any]]) -> list[OpenedSource]:
    is_alone = len(inputs) == 1
    sources = [
        open_indexed(i, each["size"], is_alone=is_alone)
        if "size" in each
        else open_fragments(each, is_alone=is_alone)
        for i, each in enumerate(inputs)
    ]
    # The source of the pictures first.
    return sorted(sources, key=lambda source: source.video is None)


def _start_s(path: Path) -> Fraction:
    """Return the time stamp at which the streams of the written file start."""
    with av.open(str(path)) as container:
        return choose_streams(path.name, container, video_streams(container)).origin_s


class _PartCopy:
    """Copies a part.

    Attributes:
        moved_s: What was subtracted from the times of the source.
        end_s: End of the last packet in the source.
        is_end: Whether the source has no later packet.
        is_whole: Whether all packets up to the end of the part, or of the source, were copied.
    """

    def __init__(
        self, sources: Sequence[OpenedSource], start_s: Fraction, until_s: Fraction
    ) -> None:
        self._sources, self._start_s, self._until_s = sources, start_s, until_s
        self._key_s = self._seek_key_frame()
        self.moved_s = math.floor(self._key_s) - FILE_LEAD_S
        self.end_s = Fraction(0)
        self.is_end = self.is_whole = False
        self._last_decoded: dict[tuple[int, int], int] = {}

    def _seek_key_frame(self) -> Fraction:
        """Seek the last key frame before the part; return its time in the source."""
        source = self._sources[0]
        if source.video is None:
            raise UnsuitableSource("it has no pictures")
        for back_s in BACK_S:
            self._seek(source, self._start_s - back_s)
            key_s = self._first_key_s(source)
            if key_s is not None and key_s <= self._start_s + LATER_S:
                self._seek(source, self._start_s - back_s)
                return key_s
            if self._start_s <= back_s and key_s is not None:
                self._seek(source, Fraction(0))
                return key_s
        raise UnsuitableSource("no key frame was found before the part")

    def _seek(self, source: OpenedSource, at_s: Fraction) -> None:
        stamp_s = max(Fraction(0), at_s) + source.zero_s
        stream = source.video or source.streams[0]
        stamp = math.floor(stamp_s / Fraction(stream.time_base or 1))
        source.container.seek(stamp, stream=stream, backward=True)

    def _first_key_s(self, source: OpenedSource) -> Fraction | None:
        for packet in source.container.demux(source.video):
            if packet.size and packet.pts is not None and packet.is_keyframe:
                return source.time_s(packet)
        return None

    def write(self, folder: Path, name: str) -> Path:
        """Write the file and return its path. Raise UnsuitableSource if no packet was copied."""
        for source in self._sources[1:]:
            self._seek(source, self._key_s - SOUND_LEAD_S)
        is_matroska = self._sources[0].container.format.name.startswith("matroska")
        path = folder / f"{name}.{'mkv' if is_matroska else 'mp4'}"
        options = {} if is_matroska else {"movie_timescale": str(self._timescale())}
        with av.open(str(path), "w", options=options) as out:
            copied = {
                (i, stream.index): _add_stream(out, stream)
                for i, source in enumerate(self._sources)
                for stream in source.streams
            }
            for timed in self._packets():
                self._mux(out, copied[timed.source, timed.packet.stream.index], timed)
        if not self.end_s:
            raise UnsuitableSource("its index names no packet of the part")
        return path

    def _timescale(self) -> int:
        """Return a clock of which the tick of every stream is a multiple."""
        bases = [Fraction(s.time_base or 1) for source in self._sources for s in source.streams]
        common = math.lcm(*(base.denominator for base in bases))
        return common if common < 1 << 31 else max(base.denominator for base in bases)

    def _packets(self) -> Iterator[TimedPacket]:
        """Yield the packets of all sources, until one lies beyond the part."""
        pictures = self._sources[0].video
        merged = heapq.merge(
            *(self._packets_of(i) for i in range(len(self._sources))),
            key=lambda timed: timed.at_s,
        )
        for timed in merged:
            is_picture = timed.source == 0 and timed.packet.stream is pictures
            if timed.at_s >= self._until_s + (0 if is_picture else INTERLEAVING_S):
                self.is_whole = True
                return
            if timed.at_s < self._until_s:
                yield timed
        self.is_end = self.is_whole = all(source.is_end for source in self._sources)

    def _packets_of(self, number: int) -> Iterator[TimedPacket]:
        source = self._sources[number]
        for packet in source.container.demux(*source.streams):
            if not packet.size or packet.pts is None or packet.is_discard:
                continue
            shown_s, is_video = source.time_s(packet), packet.stream.type == "video"
            end_s = shown_s + (packet.duration or 0) * Fraction(packet.time_base)
            first_s = self._key_s if is_video else self._key_s - SOUND_LEAD_S
            if (shown_s < first_s) if is_video else (end_s <= max(Fraction(0), first_s)):
                continue
            yield TimedPacket(source.time_s(packet, decoding=True), number, packet)

    def _mux(self, out: OutputContainer, stream: Stream, timed: TimedPacket) -> None:
        packet, source = timed.packet, self._sources[timed.source]
        base = Fraction(packet.time_base)
        shown_s = source.time_s(packet)
        self.end_s = max(self.end_s, shown_s + (packet.duration or 0) * base)
        moved = round((source.zero_s + self.moved_s) / base)
        packet.dts, packet.pts = self._decoded(timed, moved), (packet.pts or 0) - moved
        packet.stream = stream
        out.mux(packet)

    def _decoded(self, timed: TimedPacket, moved: int) -> int:
        """Return the decoding time of a packet in ticks, later than that of the one before.

        Matroska has none, and ffmpeg does not know those of the first packets.
        """
        packet, key = timed.packet, (timed.source, timed.packet.stream.index)
        last = self._last_decoded.get(key)
        if packet.dts is not None and (last is None or packet.dts - moved > last):
            decoded = packet.dts - moved
        elif last is None:
            decoded = (packet.pts or 0) - moved - round(1 / Fraction(packet.time_base))
        else:
            decoded = last + 1
        self._last_decoded[key] = decoded
        return decoded


def _add_stream(out: OutputContainer, stream: Stream) -> Stream:
    copy = out.add_stream_from_template(stream, opaque=True)
    copy.time_base = stream.time_base
    copy.disposition = stream.disposition
    if language := stream.metadata.get("language"):
        copy.metadata["language"] = language
    return copy
