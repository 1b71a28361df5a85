"""Join segments without decoding: copy their video packets, beside the encoded audio.

All segments of a profile have the same parameter sets and one time base of 512 ticks per frame (see
`segment_form`), so that a packet's place in the video is that of its segment plus its own.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from math import lcm
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from clipmill.artifacts.chapters import build_chapters
from clipmill.ffmpeg.segment_args import TICKS
from clipmill.protocol import Segment
from clipmill.protocol.result_record import ResultRecord
from clipmill.spec import AUDIO_RATE
from clipmill_client.errors import RetryableError
from clipmill_job.assembling.declared_streams import open_declared

# The decoder runs this many frames ahead because of B-frames: -bf 2 with a pyramid.
REORDER_FRAMES = 2
# The index in front, and durations in samples: with the default of milliseconds, players cut
# off the last samples.
MP4_OPTIONS = {"movflags": "+faststart", "movie_timescale": str(AUDIO_RATE)}


class SegmentFile(NamedTuple):
    """A segment and the file it was rendered to."""

    segment: Segment
    path: Path


class _Feed(NamedTuple):
    """A stream of the finished file and the packets that go into it.

    Attributes:
        stream: The stream.
        packets: The packets, in decoding order.
        rate: Ticks of their time stamps per second.
    """

    stream: Stream
    packets: Iterator[Packet[Any]]
    rate: int


def mux(files: Sequence[SegmentFile], audio: Path, out: Path, *, record: ResultRecord) -> None:
    """Write the finished video: joined segments, encoded audio, title and chapters.

    Raises:
        RetryableError: A segment cannot be joined with the others.
    """
    with ExitStack() as stack:
        first = stack.enter_context(av.open(str(files[0].path)))
        sound = stack.enter_context(av.open(str(audio)))
        container_format = files[0].segment.profile.container
        options = MP4_OPTIONS if container_format == "mp4" else {}
        target = stack.enter_context(
            av.open(str(out), "w", format=container_format, options=options)
        )
        target.metadata.update({"title": record.title} if record.title else {})
        target.set_chapters(_chapters(record))
        video_stream = target.add_stream_from_template(first.streams.video[0])
        video_stream.time_base = _time_base(files[0].segment)
        audio_stream = target.add_stream_from_template(sound.streams.audio[0])
        video_ticks = _time_base(files[0].segment).denominator
        audio_ticks = (sound.streams.audio[0].time_base or Fraction(1)).denominator
        video_feed = _Feed(video_stream, _video_packets(files), video_ticks)
        audio_feed = _Feed(audio_stream, sound.demux(audio=0), audio_ticks)
        for packet in _interleave(video_feed, audio_feed):
            target.mux_one(packet)


def count_frames(video: Path) -> int:
    """Return the number of video packets of a file, from its index where it has one."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        return stream.frames or sum(packet.size > 0 for packet in container.demux(stream))


def _chapters(record: ResultRecord) -> list[av.container.Chapter]:
    return [
        {
            "id": i,
            "start": chapter.at,
            "end": chapter.at + chapter.frames,
            "time_base": Fraction(1, record.rate),
            "metadata": {"title": chapter.title},
        }
        for i, chapter in enumerate(build_chapters(record))
    ]


def _time_base(segment: Segment) -> Fraction:
    return Fraction(1, segment.profile.rate * TICKS)


def _broken(segment: Segment, problem: str) -> RetryableError:
    return RetryableError("BrokenSegment", f"segment {segment.key[:12]} has {problem}")


def _video_packets(files: Sequence[SegmentFile]) -> Iterator[Packet[Any]]:
    """Yield the packets of all segments in decoding order, at their place in the video."""
    start = 0
    for segment, path in files:
        with open_declared(path) as container:
            yield from _segment_packets(segment, container, start)
        start += segment.frames


def _segment_packets(
    segment: Segment, container: InputContainer, start: int
) -> Iterator[Packet[Any]]:
    place = _place_vp9 if segment.profile.container == "webm" else _place_h264
    time_base, count = _time_base(segment), 0
    for packet in container.demux(video=0):
        if packet.size == 0 or packet.pts is None:
            continue
        place(packet, start, count)
        packet.time_base, packet.duration = time_base, TICKS
        count += 1
        yield packet
    if count != segment.frames:
        raise _broken(segment, f"{count} frames instead of {segment.frames}")


def _place_h264(packet: Packet[Any], start: int, count: int) -> None:
    # The packet has its presentation time within the segment, in ticks.
    packet.pts = (packet.pts or 0) + start * TICKS
    packet.dts = (start + count - REORDER_FRAMES) * TICKS


def _place_vp9(packet: Packet[Any], start: int, count: int) -> None:
    # Decoding and presentation order are the same; Matroska's milliseconds are not exact.
    packet.pts = packet.dts = (start + count) * TICKS


def _interleave(*feeds: _Feed) -> Iterator[Packet[Any]]:
    """Yield the packets of all feeds by decoding time, each assigned to its stream."""
    # Whole numbers: a fraction for each packet takes as long as all the rest.
    common = lcm(*(feed.rate for feed in feeds))
    timed = (_timed(feed, common // feed.rate) for feed in feeds)
    # It takes the next packet of a feed, which may close the file of this one, after this one.
    return (packet for _, packet in heapq.merge(*timed, key=itemgetter(0)))


def _timed(feed: _Feed, scale: int) -> Iterator[tuple[int, Packet[Any]]]:
    """Yield the packets of a feed that have content, each with its scaled decoding time."""
    for packet in feed.packets:
        if packet.size:
            packet.stream = feed.stream
            yield (packet.dts or 0) * scale, packet
