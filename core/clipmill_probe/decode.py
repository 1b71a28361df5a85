"""What is in a media file: every packet read, and with `full` every frame and sample decoded.

Runs in a child process of its own (see __main__.py): a hostile file can only hurt that.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from clipmill.ffmpeg.ebur128 import SILENCE
from clipmill_probe.audio_file import SLACK_S, Facts, heard
from clipmill_probe.errors import MediaError, check_hours, said
from clipmill_probe.loudness_filter import Meter
from clipmill_probe.sniff import check_length, sniff

MAX_SIDE = 8192
MAX_BROKEN = 20
"""One frame in so many may be broken before a file counts as damaged."""


@dataclass(slots=True)
class _Video:
    """What is known of the video stream so far."""

    stream: VideoStream
    packets: int = 0
    frames: int = 0
    broken: int = 0
    end: Fraction = Fraction(0)
    first: VideoFrame | None = None


@dataclass(slots=True)
class _Walk:
    """One pass over all packets of a file."""

    name: str
    full: bool
    video: _Video
    audio: AudioStream | None
    meter: Meter | None
    start: Fraction
    end: Fraction = Fraction(0)
    samples_broken: int = 0
    failure: str = ""


def examine(path: Path, *, full: bool, sound: bool = False) -> Facts:
    """The facts of a video, with `sound` of a file of sound alone as well. Raises MediaError."""
    demuxer = sniff(path, sound=sound)
    check_length(path, demuxer)
    options = {"protocol_whitelist": "file", "format_whitelist": demuxer}
    try:
        container = av.open(
            f"file:{path.resolve()}", format=demuxer, options=options, metadata_errors="replace"
        )
    except (av.FFmpegError, ValueError) as error:
        raise MediaError(
            "Damaged", f"{path.name}: cannot be opened as {demuxer}: {said(error)}"
        ) from None
    with container:
        if sound and not _shown_streams(container):
            return heard(path.name, container, demuxer, full=full)
        walk = _begin(path.name, container, full=full)
        _read(walk, container)
        _judge(walk, container, demuxer)
        return _facts(walk, demuxer)


def _begin(name: str, container: InputContainer, *, full: bool) -> _Walk:
    shown = _shown_streams(container)
    if not shown:
        raise MediaError("NoVideo", f"{name}: has no video stream")
    video, audio = shown[0], next(iter(container.streams.audio), None)
    _check_size(name, video.codec_context.width, video.codec_context.height)
    check_hours(name, Fraction(container.duration or 0, av.time_base))
    video.thread_type = "AUTO"
    video.codec_context.options = {"max_pixels": str(MAX_SIDE * MAX_SIDE)}
    return _Walk(
        name=name,
        full=full,
        video=_Video(video),
        audio=audio,
        meter=Meter() if full and audio else None,
        start=Fraction(container.start_time or 0, av.time_base),
    )


def _shown_streams(container: InputContainer) -> list[VideoStream]:
    """Streams of moving pictures: a cover in a music file is none."""
    return [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]


def _check_size(name: str, width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE:
        raise MediaError(
            "TooLarge", f"{name}: {width}x{height} pixels; at most {MAX_SIDE} a side are read"
        )


def _read(walk: _Walk, container: InputContainer) -> None:
    """Every packet to the end; an error of the demuxer is an end, judged later."""
    packets = container.demux()
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.FFmpegError as error:
            walk.failure = said(error)
            return
        _count(walk, packet)
        if packet.stream is walk.video.stream:
            _video(walk, packet)
        elif packet.stream is walk.audio and walk.meter:
            _audio(walk, packet)


def _count(walk: _Walk, packet: Packet[Any]) -> None:
    if packet.size == 0 or packet.pts is None or packet.time_base is None or packet.is_discard:
        return
    end = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base) - walk.start
    walk.end = max(walk.end, end)
    if packet.stream is walk.video.stream:
        walk.video.packets += 1
        walk.video.end = max(walk.video.end, end if packet.duration else end + _frame_s(walk.video))


def _frame_s(video: _Video) -> Fraction:
    return 1 / (video.stream.average_rate or video.stream.guessed_rate or Fraction(25))


def _video(walk: _Walk, packet: Packet[Any]) -> None:
    video = walk.video
    if not walk.full and video.first is not None:
        return
    try:
        frames = video.stream.decode(packet)
    except av.FFmpegError:
        video.broken += 1
        return
    for frame in frames:
        video.first = video.first or frame
        video.frames += 1
        video.broken += int(frame.is_corrupt)


def _audio(walk: _Walk, packet: Packet[Any]) -> None:
    if walk.audio is None or walk.meter is None:
        return
    try:
        frames: list[AudioFrame] = walk.audio.decode(packet)
    except av.FFmpegError:
        walk.samples_broken += 1
        return
    for frame in frames:
        walk.meter.push(frame)


def _judge(walk: _Walk, container: InputContainer, demuxer: str) -> None:
    video, name = walk.video, walk.name
    declared = Fraction(container.duration or 0, av.time_base)
    # MPEG-TS and Ogg declare no length: ffmpeg's number is then only a guess by bit rate.
    if demuxer not in ("mpegts", "ogg") and declared - walk.end > SLACK_S + declared / 100:
        raise MediaError(
            "Truncated",
            f"{name}: ends at {float(walk.end):.2f} s, but declares {float(declared):.2f} s",
        )
    if walk.failure:
        raise MediaError("Damaged", f"{name}: cannot be read to its end: {walk.failure}")
    if video.first is None:
        raise MediaError("Damaged", f"{name}: no frame of its video can be decoded")
    if walk.full and video.broken * MAX_BROKEN > video.packets:
        raise MediaError(
            "Damaged", f"{name}: {video.broken} of {video.packets} frames cannot be decoded"
        )
    check_hours(name, walk.end)


def _facts(walk: _Walk, demuxer: str) -> Facts:
    video = walk.video
    width, height = _shown(video)
    _check_size(walk.name, width, height)
    rate = video.stream.average_rate or video.stream.guessed_rate or Fraction(25)
    loudness, peak = walk.meter.finish() if walk.meter else SILENCE
    return {
        "format": demuxer,
        "duration_us": round(video.end * 1_000_000),
        "width": width,
        "height": height,
        "rate": f"{rate.numerator}/{rate.denominator}",
        "frames": video.frames if walk.full else video.packets,
        "video_codec": video.stream.codec_context.name,
        "audio_codec": walk.audio.codec_context.name if walk.audio else None,
        "loudness_lufs": loudness,
        "true_peak_dbtp": peak,
    }


def _shown(video: _Video) -> tuple[int, int]:
    """Pixels as a player shows them: wide pixels made square, then turned as the file asks."""
    frame = video.first
    if frame is None:
        return 0, 0
    width, height = frame.width, frame.height
    aspect = video.stream.sample_aspect_ratio or Fraction(1)
    if aspect > 0:
        width = max(1, round(width * aspect))
    return (height, width) if frame.rotation % 180 else (width, height)
