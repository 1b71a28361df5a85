"""Choose the streams of a file that play, as a player does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from clipmill_probe.errors import MediaError

# Flag of demuxers whose clock may restart (libavformat's AVFMT_TS_DISCONT). ffmpeg lets such files
# start at the first stream that it reads, and other files at the first stream of all.
CLOCK_RESTARTS = 0x0200


@dataclass(frozen=True, slots=True)
class ChosenStreams:
    """The streams that play; `origin_s` is the time stamp at which the first of them starts."""

    video: VideoStream
    audio: AudioStream | None
    origin_s: Fraction

    def delay_s(self, container: InputContainer, heard: AudioStream | None) -> Fraction:
        """Return how much later these streams start than what ffmpeg takes as the file's start.

        Args:
            container: The file.
            heard: Stream of sound that is read beside the video; it may be another one.
        """
        if container.format.flags & CLOCK_RESTARTS:
            return self.origin_s - _first_start_s(container, (self.video, heard))
        return self.origin_s - file_start_s(container)


def choose_streams(
    name: str, container: InputContainer, videos: Sequence[VideoStream]
) -> ChosenStreams:
    """Return the streams that play, of `videos` the first one. Raises MediaError."""
    if not videos:
        raise MediaError("NoVideo", f"{name}: has no video stream")
    if videos[0].codec_context is None:
        raise MediaError("NoVideo", f"{name}: the codec of its video stream is not supported")
    audio = next(iter(audio_streams(container)), None)
    return ChosenStreams(videos[0], audio, _first_start_s(container, (videos[0], audio)))


def _first_start_s(
    container: InputContainer, streams: Sequence[VideoStream | AudioStream | None]
) -> Fraction:
    starts = [
        stream.start_time * Fraction(stream.time_base)
        for stream in streams
        if stream is not None and stream.start_time is not None and stream.time_base is not None
    ]
    return min(starts, default=file_start_s(container))


def file_start_s(container: InputContainer) -> Fraction:
    """Return the first time stamp of all streams in seconds."""
    return Fraction(container.start_time or 0, av.time_base)


def video_streams(container: InputContainer) -> list[VideoStream]:
    """Return the streams of pictures but for covers, the one that plays first.

    The one flagged as default plays, else that with the most pixels.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    return sorted(streams, key=_video_rank)


def audio_streams(container: InputContainer) -> list[AudioStream]:
    """Return the streams of sound that have a decoder, the one that plays first.

    The one flagged as default plays, else that with the most channels.
    """
    return sorted((s for s in container.streams.audio if s.codec_context), key=_audio_rank)


@dataclass(frozen=True, slots=True)
class VideoOrder:
    """Indices of the video streams, those that play first in front."""

    moving: tuple[int, ...]
    single_pictures: tuple[int, ...] = ()


def video_order(container: InputContainer, streams: Sequence[VideoStream]) -> VideoOrder:
    """Return which streams hold more than one picture.

    Reads packets of the container until every stream has two.
    """
    counts: Counter[int] = Counter()
    try:
        for packet in container.demux(*streams):
            counts[packet.stream.index] += bool(packet.size)
            if all(counts[stream.index] > 1 for stream in streams):
                break
    except av.FFmpegError:
        pass
    indices = [stream.index for stream in streams]
    return VideoOrder(
        tuple(i for i in indices if counts[i] > 1), tuple(i for i in indices if counts[i] < 2)
    )


def _video_rank(stream: VideoStream) -> tuple[bool, bool, int]:
    context = stream.codec_context
    pixels = context.width * context.height if context else 0
    return context is None, not stream.disposition & Disposition.default, -pixels


def _audio_rank(stream: AudioStream) -> tuple[bool, int]:
    return not stream.disposition & Disposition.default, -stream.codec_context.channels
