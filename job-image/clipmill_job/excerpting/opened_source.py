"""Open a source whose packets are copied, and know its time line."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from clipmill_job.excerpting.piped_file import PipedFile
from clipmill_probe.errors import MediaError
from clipmill_probe.sniff import container_of
from clipmill_probe.stream_choice import choose_streams, file_start_s, video_streams

# Containers with an index, by which packets are found without reading the rest.
INDEXED = ("mov", "matroska")
FRAGMENTS = ("mpegts", "mov")
# Time stamps of MPEG-TS start again after 26.5 hours.
WRAP_S = Fraction(1 << 33, 90_000)
# More than a playlist's times differ from the time stamps of its fragments.
MAX_DRIFT_S = 2
# Bytes that are read to know the streams.
PROBE_BYTES = 1_000_000


class UnsuitableSource(Exception):
    """The whole source has to be fetched. The message completes "since"."""


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A source that is read by packets.

    Attributes:
        container: The file.
        video: The video stream that plays; None for a file of sound only.
        zero_s: Time stamp of the source's start.
        length_us: Length of the source.
        is_end: Whether the end of the file is that of the source.
    """

    container: InputContainer
    video: VideoStream | None
    zero_s: Fraction
    length_us: int
    is_end: bool

    @property
    def streams(self) -> list[Stream]:
        """Streams that are copied: all pictures but covers, and all sound."""
        videos: list[Stream] = list(video_streams(self.container))
        audios = [stream for stream in self.container.streams.audio if stream.codec_context]
        return sorted((*videos, *audios), key=lambda stream: stream.index)

    def time_s(self, packet: Packet[Any], *, decoding: bool = False) -> Fraction:
        """Return when a packet is shown, or decoded, after the start of the source."""
        stamp = packet.dts if decoding and packet.dts is not None else packet.pts
        return Fraction(stamp or 0) * Fraction(packet.time_base) - self.zero_s


def open_indexed(number: int, size: int, *, is_alone: bool) -> OpenedSource:
    """Open a file that is read through the parent process. Raise UnsuitableSource."""
    file = PipedFile(number, size)
    demuxer = container_of(file.read(4096))
    file.seek(0)
    if demuxer not in INDEXED:
        raise UnsuitableSource("its container has no index")
    container = _open(file, demuxer)
    duration_us, start_s = container.duration, file_start_s(container)
    if not duration_us:
        raise UnsuitableSource("its index does not declare its length")
    zero_s = _zero_s(container, is_alone=is_alone)
    length_us = duration_us - round((zero_s - start_s) * 1_000_000)
    return OpenedSource(container, _video(container), zero_s, length_us, is_end=True)


def open_fragments(fragments: dict[str, Any], *, is_alone: bool) -> OpenedSource:
    """Open fragments of a playlist, and the first one for the time stamp that it starts with."""
    first, path = Path(fragments["first"]), Path(fragments["path"])
    demuxer = container_of(path.read_bytes()[:4096] if path.stat().st_size else b"")
    if demuxer not in FRAGMENTS:
        raise UnsuitableSource("the container of its fragments is not supported")
    with _open(f"file:{first}", demuxer) as container:
        zero_s = min(_zero_s(container, is_alone=is_alone), _first_stamp_s(container))
    container = _open(f"file:{path}", demuxer)
    expected_s = Fraction(fragments["start_us"], 1_000_000)
    at_s = file_start_s(container) - zero_s
    if demuxer == "mpegts":
        wraps = round((expected_s - at_s) / WRAP_S)
        zero_s, at_s = zero_s - wraps * WRAP_S, at_s + wraps * WRAP_S
    if abs(at_s - expected_s) > MAX_DRIFT_S:
        raise UnsuitableSource("its time stamps are not those of its playlist")
    video = _video(container)
    return OpenedSource(
        container, video, zero_s, int(fragments["length_us"]), is_end=bool(fragments["is_end"])
    )


def _open(file: Any, demuxer: str) -> InputContainer:
    options = {
        "format_whitelist": demuxer,
        "protocol_whitelist": "file",
        "probesize": str(PROBE_BYTES),
    }
    container: InputContainer = av.open(
        file, format=demuxer, options=options, metadata_errors="replace"
    )
    return container


def _zero_s(container: InputContainer, *, is_alone: bool) -> Fraction:
    """Return the time stamp of the start as the prober finds it in the whole file.

    Files that are merged are each moved to the start.
    """
    if not is_alone:
        return file_start_s(container)
    try:
        return choose_streams("source", container, video_streams(container)).origin_s
    except MediaError as error:
        raise UnsuitableSource(error.message) from None


def _first_stamp_s(container: InputContainer) -> Fraction:
    """Return the first time stamp of all packets, also of sound that is decoded and not heard.

    yt-dlp copies the packets of fragments into one file, which starts with it. Packets of sound
    may lie behind those bytes that were fetched, but the index of a fragment names them.
    """
    streams = [s for s in container.streams if s.type in ("video", "audio")]
    firsts = {
        s.index: s.index_entries[0].timestamp * Fraction(s.time_base or 1)
        for s in streams
        if s.type == "audio" and len(s.index_entries)
    }
    for packet in container.demux(*streams):
        if packet.size and packet.pts is not None:
            firsts.setdefault(packet.stream.index, packet.pts * Fraction(packet.time_base))
        if len(firsts) == len(streams):
            break
    return min(firsts.values(), default=file_start_s(container))


def _video(container: InputContainer) -> VideoStream | None:
    return next(iter(video_streams(container)), None)
