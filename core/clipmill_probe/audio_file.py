"""What is in a file of sound alone: its exact length, its loudness, and who made it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from clipmill.ffmpeg.ebur128 import SILENCE
from clipmill_probe.errors import MediaError, check_hours, said
from clipmill_probe.loudness_filter import Meter

SLACK_S = Fraction(3, 10)
"""A container's declared length may be this much (and 1 %) longer than what is in it."""
GUESSED = ("mp3", "ogg")
"""Containers that declare no length: ffmpeg's number is then a guess by bit rate."""
MAX_TAG = 200
TAGS = {
    "title": ("title",),
    "artist": ("artist", "album_artist"),
    "license": ("license", "copyright"),
}

Facts = dict[str, str | int | float | None]


def heard(name: str, container: InputContainer, demuxer: str, *, full: bool) -> Facts:
    """The facts of a file without a picture. Raises MediaError."""
    stream = next(iter(container.streams.audio), None)
    if stream is None:
        raise MediaError("NoSound", f"{name}: has no audio stream")
    declared = Fraction(container.duration or 0, av.time_base)
    check_hours(name, declared)
    meter = Meter() if full else None
    length = _length(name, container, stream, meter)
    check_hours(name, length)
    if not length:
        raise MediaError("Damaged", f"{name}: no sample of its sound can be decoded")
    if demuxer not in GUESSED and declared - length > SLACK_S + declared / 100:
        ends = f"ends at {float(length):.2f} s, but declares {float(declared):.2f} s"
        raise MediaError("Truncated", f"{name}: {ends}")
    loudness, peak = meter.finish() if meter else SILENCE
    return {
        "format": demuxer,
        "duration_us": round(length * 1_000_000),
        "audio_codec": stream.codec_context.name,
        "loudness_lufs": loudness,
        "true_peak_dbtp": peak,
        **_tags(container, stream),
    }


def _length(
    name: str, container: InputContainer, stream: AudioStream, meter: Meter | None
) -> Fraction:
    """Seconds of sound, by its decoded samples. Raises MediaError when it cannot be read."""
    length = Fraction(0)
    try:
        for frame in _frames(container, stream):
            length += Fraction(frame.samples, frame.sample_rate)
            if meter:
                meter.push(frame)
    except av.FFmpegError as error:
        raise MediaError("Damaged", f"{name}: cannot be read to its end: {said(error)}") from None
    return length


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Every frame; a packet that cannot be decoded is passed over, as in playing."""
    for packet in container.demux(stream):
        try:
            yield from stream.decode(packet)
        except av.error.InvalidDataError:
            continue


def _tags(container: InputContainer, stream: AudioStream) -> Facts:
    """Title, artist and license as the file tells them; Ogg keeps its tags with the stream."""
    known = {key.lower(): text for key, text in (container.metadata | stream.metadata).items()}
    return {
        field: next((text for key in keys if (text := _clean(known.get(key, "")))), None)
        for field, keys in TAGS.items()
    }


def _clean(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_TAG]
