"""Segments one after the other: their packets copied, their samples strung together.

Every segment has the same parameter sets and one time base of 512 ticks a frame, so a packet's
place is its segment's place plus its own. Nothing is decoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
from av.packet import Packet
from av.stream import Stream

from clipmill.artifacts.chapters import chapters
from clipmill.ffmpeg.segment_args import TICKS
from clipmill.protocol import Segment
from clipmill.protocol.result_record import Record
from clipmill.spec import AUDIO_RATE
from clipmill_job.errors import TryAgain

REORDER_FRAMES = 2
"""B-frames make the decoder run this many frames ahead: -bf 2 with a pyramid."""
SAMPLE_BYTES = 8
"""Two channels of 32-bit floats."""
MP4 = {"movflags": "+faststart", "movie_timescale": str(AUDIO_RATE)}
"""Index in front; lengths in samples: in milliseconds, the default, a player cuts the last ones."""
Made = tuple[Segment, Path]


def samples(made: Sequence[Made], out: Path) -> int:
    """The sound of all segments as raw samples in `out`; how many samples. Raises TryAgain."""
    total = 0
    with out.open("wb") as file:
        for segment, path in made:
            with av.open(str(path)) as container:
                found = sum(file.write(bytes(p)) for p in container.demux(audio=0) if p.size)
            expected = segment.frames * AUDIO_RATE // segment.profile.rate
            if found != expected * SAMPLE_BYTES:
                said = f"{found // SAMPLE_BYTES} samples instead of {expected}"
                raise TryAgain("BrokenSegment", f"segment {segment.key[:12]} has {said}")
            total += expected
    return total


def mux(made: Sequence[Made], sound: Path, out: Path, *, record: Record) -> None:
    """The finished file: pictures, encoded sound, title and chapters, index in front."""
    with ExitStack() as stack:
        first = stack.enter_context(av.open(str(made[0][1])))
        heard = stack.enter_context(av.open(str(sound)))
        form = made[0][0].profile.container
        options = MP4 if form == "mp4" else {}
        target = stack.enter_context(av.open(str(out), "w", format=form, options=options))
        target.metadata.update({"title": record.title} if record.title else {})
        target.set_chapters(_chapters(record))
        video = target.add_stream_from_template(first.streams.video[0])
        video.time_base = _ticks(made)
        audio = target.add_stream_from_template(heard.streams.audio[0])
        for packet in _merged((video, _pictures(made)), (audio, heard.demux(audio=0))):
            target.mux_one(packet)


def frames(video: Path) -> int:
    """Pictures that a file holds: its packets counted, none decoded."""
    with av.open(str(video)) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


def _chapters(record: Record) -> list[av.container.Chapter]:
    return [
        {
            "id": i,
            "start": one.at,
            "end": one.at + one.frames,
            "time_base": Fraction(1, record.rate),
            "metadata": {"title": one.title},
        }
        for i, one in enumerate(chapters(record))
    ]


def _ticks(made: Sequence[Made]) -> Fraction:
    return Fraction(1, made[0][0].profile.rate * TICKS)


def _pictures(made: Sequence[Made]) -> Iterator[Packet[Any]]:
    """Video packets of all segments, in decoding order, at their place in the whole."""
    ticks, at, parameters = _ticks(made), 0, None
    for segment, path in made:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            parameters = parameters or stream.codec_context.extradata
            if stream.codec_context.extradata != parameters:
                raise TryAgain("BrokenSegment", f"segment {segment.key[:12]} is of another form")
            vp9 = segment.profile.container == "webm"
            if not vp9 and stream.time_base != ticks:
                raise TryAgain("BrokenSegment", f"segment {segment.key[:12]} has another time base")
            place = _in_order if vp9 else _reordered
            count = 0
            for packet in container.demux(stream):
                if packet.size == 0 or packet.pts is None:
                    continue
                place(packet, at, count)
                packet.time_base, packet.duration = ticks, TICKS
                count += 1
                yield packet
        if count != segment.frames:
            said = f"{count} frames instead of {segment.frames}"
            raise TryAgain("BrokenSegment", f"segment {segment.key[:12]} has {said}")
        at += count


def _reordered(packet: Packet[Any], at: int, count: int) -> None:
    """H.264: each packet knows its place within the segment, in ticks."""
    packet.pts = (packet.pts or 0) + at * TICKS
    packet.dts = (at + count - REORDER_FRAMES) * TICKS


def _in_order(packet: Packet[Any], at: int, count: int) -> None:
    """VP9: as shown so decoded. Matroska's milliseconds are not asked."""
    packet.pts = packet.dts = (at + count) * TICKS


Fed: TypeAlias = "tuple[Stream, Iterator[Packet[Any]]]"
"""A stream of the target and the packets that go into it."""


def _merged(*feeds: Fed) -> Iterator[Packet[Any]]:
    """Packets of several streams in the order of their decoding times, each for its stream."""
    waiting = [(packet, feed) for feed in feeds if (packet := _next(feed))]
    while waiting:
        soonest = min(waiting, key=lambda one: _when(one[0]))
        packet, feed = soonest
        packet.stream = feed[0]
        yield packet
        # Only now: the next packet may close the file that this one came from.
        waiting.remove(soonest)
        following = _next(feed)
        if following:
            waiting.append((following, feed))


def _next(feed: Fed) -> Packet[Any] | None:
    return next((packet for packet in feed[1] if packet.size), None)


def _when(packet: Packet[Any]) -> Fraction:
    return Fraction(packet.dts or 0) * Fraction(packet.time_base or 0)
