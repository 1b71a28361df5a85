"""Read an audio file: exact duration, loudness, and title, artist and license from its tags."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from clipmill.artifacts.plain_text import single_line
from clipmill_probe.audio_tracks import AudioTrackReader
from clipmill_probe.errors import MediaError, check_hours, error_text
from clipmill_probe.stream_choice import audio_streams, file_start_s

# A container may declare a duration this much (and 1 %) longer than its content.
SLACK_S = Fraction(3, 10)
# Containers without a declared duration: ffmpeg's value is an estimate from the bit rate.
ESTIMATED_DURATION = ("mp3", "ogg", "aac", "ac3", "amr")
MAX_TAG_LENGTH = 200
TAGS = {
    "title": ("title",),
    "artist": ("artist", "album_artist"),
    "license": ("license", "copyright"),
}

Facts = dict[str, Any]


def read_audio(name: str, container: InputContainer, demuxer: str, *, is_measured: bool) -> Facts:
    """Return the facts of a file without a video stream. Raises MediaError."""
    stream = next(iter(audio_streams(container)), None)
    if stream is None:
        what = "its audio codec is not supported" if container.streams.audio else "no audio stream"
        raise MediaError("NoSound", f"{name}: {what}")
    check_hours(name, declared_s(container))
    track = AudioTrackReader(stream, is_measured=is_measured)
    duration_s = _decoded_s(name, container, track)
    check_hours(name, duration_s)
    if not duration_s:
        raise MediaError("Damaged", f"{name}: no audio sample can be decoded")
    if demuxer not in ESTIMATED_DURATION:
        check_truncation(name, container, duration_s)
    facts = track.facts()
    return {
        "format": demuxer,
        "duration_us": round(duration_s * 1_000_000),
        "audio_codec": facts["codec"],
        "loudness_lufs": facts["loudness_lufs"],
        "true_peak_dbtp": facts["true_peak_dbtp"],
        "audio_tracks": [facts],
        **_tags(container, stream),
    }


def check_truncation(name: str, container: InputContainer, end_s: Fraction) -> None:
    """Raise MediaError if the content ends before the declared duration."""
    length_s = declared_s(container)
    if length_s - end_s > SLACK_S + length_s / 100:
        declares = f"the container declares {float(length_s):.2f} s"
        raise MediaError("Truncated", f"{name}: ends at {float(end_s):.2f} s, but {declares}")


def declared_s(container: InputContainer) -> Fraction:
    """Return the length that a container declares in seconds.

    Containers whose clock does not start at zero declare its end.
    """
    declared = Fraction(container.duration or 0, av.time_base)
    return max(Fraction(0), declared - max(Fraction(0), file_start_s(container)))


def _decoded_s(name: str, container: InputContainer, track: AudioTrackReader) -> Fraction:
    """Return the duration of all decoded samples in seconds. Raises MediaError."""
    duration_s = Fraction(0)
    try:
        for frame in _frames(container, track.stream):
            track.measure(frame, at_s=duration_s)
            duration_s += Fraction(frame.samples, frame.sample_rate)
    except av.FFmpegError as error:
        message = f"{name}: cannot be read to its end: {error_text(error)}"
        raise MediaError("Damaged", message) from None
    return duration_s


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Yield every frame; a packet that cannot be decoded is passed over, as players do."""
    for packet in container.demux(stream):
        try:
            yield from stream.decode(packet)
        except av.error.InvalidDataError:
            continue


def _tags(container: InputContainer, stream: AudioStream) -> Facts:
    # Ogg keeps its tags with the stream, other containers with the file.
    tags = {key.lower(): text for key, text in (container.metadata | stream.metadata).items()}
    return {
        field: next((text for key in keys if (text := _printable(tags.get(key, "")))), None)
        for field, keys in TAGS.items()
    }


def _printable(text: str) -> str:
    return single_line(text)[:MAX_TAG_LENGTH].rstrip()
