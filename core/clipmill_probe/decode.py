"""Read a media file: every packet, and with `full` every frame and sample decoded.

Runs in the prober's child process (see __main__.py), so that a hostile file harms only that.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet

from clipmill_probe.audio_file import Facts, check_truncation, read_audio
from clipmill_probe.audio_tracks import MAX_MEASURED_TRACKS, AudioTrackReader
from clipmill_probe.color_tags import color_tags
from clipmill_probe.errors import MediaError, check_hours, error_text
from clipmill_probe.sniff import check_declared_length, sniff_container
from clipmill_probe.video_track import VideoTrack, check_size, limit_decoder, video_streams

# A file is damaged when more than one frame in so many cannot be decoded.
MAX_BROKEN_RATIO = 20


def read_media(path: Path, *, full: bool, allow_audio_only: bool = False) -> Facts:
    """Return the facts of a video, or of an audio file where that is allowed. Raises MediaError."""
    demuxer = sniff_container(path, allow_audio_only=allow_audio_only)
    check_declared_length(path, demuxer)
    with _open(path, demuxer) as container:
        if allow_audio_only and not video_streams(container):
            return read_audio(path.name, container, demuxer, full=full)
        reader = _VideoReader(path.name, container, full=full)
        reader.read()
        reader.check(demuxer)
        return reader.facts(demuxer)


def _open(path: Path, demuxer: str) -> InputContainer:
    options = {"protocol_whitelist": "file", "format_whitelist": demuxer}
    try:
        return av.open(
            f"file:{path.resolve()}", format=demuxer, options=options, metadata_errors="replace"
        )
    except (av.FFmpegError, ValueError) as error:
        message = f"{path.name}: cannot be opened as {demuxer}: {error_text(error)}"
        raise MediaError("Damaged", message) from None


class _VideoReader:
    """One pass over all packets of a file with a video stream."""

    def __init__(self, name: str, container: InputContainer, *, full: bool) -> None:
        self._name = name
        self._container = container
        self._full = full
        self._video = VideoTrack(_video_stream(name, container))
        self._tracks = [
            AudioTrackReader(stream, is_measured=full and i < MAX_MEASURED_TRACKS)
            for i, stream in enumerate(container.streams.audio)
        ]
        self._start_s = Fraction(container.start_time or 0, av.time_base)
        self._end_s = Fraction(0)
        self._demuxer_error = ""

    def read(self) -> None:
        """Read every packet; a demuxer's error ends the pass and is judged by `check`."""
        packets = self._container.demux()
        try:
            for packet in packets:
                self._count(packet)
                self._decode(packet)
        except av.FFmpegError as error:
            self._demuxer_error = error_text(error)

    def _count(self, packet: Packet[Any]) -> None:
        if not packet.size or packet.pts is None or packet.time_base is None or packet.is_discard:
            return
        end = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base) - self._start_s
        self._end_s = max(self._end_s, end)
        if packet.stream is self._video.stream:
            self._video.count(end, has_duration=bool(packet.duration))

    def _decode(self, packet: Packet[Any]) -> None:
        if packet.stream is self._video.stream:
            if self._full or self._video.first_frame is None:
                self._video.decode(packet)
            return
        for track in self._tracks:
            if packet.stream is track.stream:
                track.read(packet, start_s=self._start_s)

    def check(self, demuxer: str) -> None:
        """Raise MediaError if the file is truncated, damaged or too long."""
        name, video = self._name, self._video
        # MPEG-TS and Ogg declare no duration: ffmpeg's value is an estimate from the bit rate.
        if demuxer not in ("mpegts", "ogg"):
            check_truncation(name, self._container, self._end_s)
        if self._demuxer_error:
            message = f"{name}: cannot be read to its end: {self._demuxer_error}"
            raise MediaError("Damaged", message)
        if video.first_frame is None:
            raise MediaError("Damaged", f"{name}: no video frame can be decoded")
        if self._full and video.broken_frames * MAX_BROKEN_RATIO > video.packets:
            broken = f"{video.broken_frames} of {video.packets} video frames"
            raise MediaError("Damaged", f"{name}: {broken} cannot be decoded")
        check_hours(name, self._end_s)

    def facts(self, demuxer: str) -> Facts:
        """Return what the pass found. Raises MediaError if the picture is too large."""
        video, rate = self._video, self._video.rate
        width, height = video.display_size()
        check_size(self._name, width, height)
        tracks = [track.facts() for track in self._tracks]
        played = tracks[0] if tracks else {}
        return {
            "format": demuxer,
            "duration_us": round(video.end_s * 1_000_000),
            "width": width,
            "height": height,
            "rate": f"{rate.numerator}/{rate.denominator}",
            "frames": video.frames if self._full else video.packets,
            "video_codec": video.stream.codec_context.name,
            "color": color_tags(video.first_frame) if video.first_frame else None,
            "audio_codec": played.get("codec"),
            "loudness_lufs": played.get("loudness_lufs"),
            "true_peak_dbtp": played.get("true_peak_dbtp"),
            "audio_tracks": tracks,
        }


def _video_stream(name: str, container: InputContainer) -> Any:
    """Return the first video stream, limited to what is decoded. Raises MediaError."""
    streams = video_streams(container)
    if not streams:
        raise MediaError("NoVideo", f"{name}: has no video stream")
    stream = streams[0]
    limit_decoder(name, stream)
    check_hours(name, Fraction(container.duration or 0, av.time_base))
    return stream
