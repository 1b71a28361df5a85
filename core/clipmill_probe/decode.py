"""Read a media file: every packet, and as much decoded as the depth says.

Runs in the prober's child process (see __main__.py), so that a hostile file harms only that.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet

from clipmill_probe.audio_file import Facts, check_truncation, declared_s, read_audio
from clipmill_probe.audio_tracks import MAX_MEASURED_TRACKS, AudioTrackReader
from clipmill_probe.clock import Clock
from clipmill_probe.color_tags import color_tags
from clipmill_probe.depth import Depth
from clipmill_probe.errors import MediaError, check_hours, error_text
from clipmill_probe.sniff import check_declared_length, sniff_container
from clipmill_probe.spot_checks import SpotChecks
from clipmill_probe.stream_choice import (
    ChosenStreams,
    VideoOrder,
    audio_streams,
    choose_streams,
    file_start_s,
    video_order,
    video_streams,
)
from clipmill_probe.stream_ends import StreamEnds
from clipmill_probe.video_track import VideoTrack, check_size, limit_decoder

# A file is damaged when more than one frame in so many cannot be decoded.
MAX_BROKEN_RATIO = 20
# Encoders pad the sound by up to this much, for which no picture is held.
MAX_PADDING_S = Fraction(1, 5)


def read_media(path: Path, *, depth: Depth, allow_audio_only: bool = False) -> Facts:
    """Return the facts of a video, or of an audio file where that is allowed. Raises MediaError."""
    demuxer = sniff_container(path, allow_audio_only=allow_audio_only)
    check_declared_length(path, demuxer)
    order = play_order(path, demuxer, is_music=allow_audio_only)
    with open_media(path, demuxer) as container:
        if allow_audio_only and not order.moving:
            return read_audio(path.name, container, demuxer, is_measured=depth is not Depth.PACKETS)
        videos = [container.streams[i] for i in (*order.moving, *order.single_pictures)]
        streams = choose_streams(path.name, container, videos)  # type: ignore[arg-type]
        _check_limits(path.name, container, streams)
        reader = _VideoReader(path.name, container, streams, depth)
        reader.read()
        reader.check(demuxer)
        return reader.facts(demuxer)


def play_order(path: Path, demuxer: str, *, is_music: bool = False) -> VideoOrder:
    """Return the video streams of a file, the one that plays first. Raises MediaError."""
    with open_media(path, demuxer) as container:
        streams = video_streams(container)
        if len(streams) > 1 or is_music:
            return video_order(container, streams)
        return VideoOrder(tuple(stream.index for stream in streams))


def open_media(path: Path, demuxer: str) -> InputContainer:
    """Open a file by one demuxer that may open no other file. Raises MediaError."""
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

    def __init__(
        self, name: str, container: InputContainer, streams: ChosenStreams, depth: Depth
    ) -> None:
        self._name = name
        self._container = container
        self._depth = depth
        self._streams = streams
        self._video = VideoTrack(streams.video)
        self._checks = SpotChecks(streams.video.codec_context, declared_s(container))
        self._tracks = [
            AudioTrackReader(
                stream, is_measured=depth is not Depth.PACKETS and i < MAX_MEASURED_TRACKS
            )
            for i, stream in enumerate(container.streams.audio)
        ]
        self._by_index = {track.stream.index: track for track in self._tracks}
        self._clock = Clock(container, streams)
        self._ends = StreamEnds()
        self._demuxer_error = ""

    def read(self) -> None:
        """Read every packet; a demuxer's error ends the pass and is judged by `check`."""
        offset_s = origin_s = None
        try:
            for packet in self._container.demux():
                now_s = self._clock.offset_s(packet)
                if origin_s is None or now_s is not offset_s:
                    offset_s, origin_s = now_s, self._streams.origin_s - now_s
                self._take(packet, packet.stream.index, origin_s)
        except MemoryError:
            # FFmpeg's own is an FFmpegError too: the limit was exceeded, and no demuxer failed.
            raise
        except av.FFmpegError as error:
            self._demuxer_error = error_text(error)

    def _take(self, packet: Packet[Any], index: int, origin_s: Fraction) -> None:
        is_picture = index == self._streams.video.index
        if packet.size and packet.pts is not None and packet.time_base and not packet.is_discard:
            self._ends.count(index, packet, origin_s)
            self._video.packets += is_picture
        if is_picture:
            self._decode_picture(packet, origin_s)
        elif index in self._by_index:
            self._by_index[index].read(packet, start_s=origin_s)

    def _decode_picture(self, packet: Packet[Any], origin_s: Fraction) -> None:
        video = self._video
        if self._depth is Depth.FULL:
            video.decode(packet)
        elif video.first_frame is None:
            video.decode_start(packet)
        elif self._depth is Depth.SOUND and self._is_due(packet, origin_s):
            video.decode_alone(packet)

    def _is_due(self, packet: Packet[Any], origin_s: Fraction) -> bool:
        return packet.is_keyframe and self._checks.is_due(packet, _shown_s(packet, origin_s))

    @property
    def _pictures_end_s(self) -> Fraction:
        end_s = self._ends.end_s(self._streams.video.index, 1 / self._video.rate)
        return max(Fraction(0), end_s or Fraction(0))

    def check(self, demuxer: str) -> None:
        """Raise MediaError if the file is truncated, damaged or too long."""
        name, video = self._name, self._video
        # These declare no duration: ffmpeg's value is an estimate from the bit rate.
        if demuxer not in ("mpegts", "mpeg", "ogg", "dv"):
            check_truncation(name, self._container, self._end_s())
        if self._demuxer_error:
            message = f"{name}: cannot be read to its end: {self._demuxer_error}"
            raise MediaError("Damaged", message)
        if video.first_frame is None:
            raise MediaError("Damaged", f"{name}: no video frame can be decoded")
        if self._depth is Depth.FULL and video.broken_frames * MAX_BROKEN_RATIO > video.packets:
            broken = f"{video.broken_frames} of {video.packets} video frames"
            raise MediaError("Damaged", f"{name}: {broken} cannot be decoded")
        check_hours(name, self._ends.latest_s())

    def _end_s(self) -> Fraction:
        """Return the end of all streams after the start that the container declares."""
        stamp_s = self._ends.latest_stamp_s()
        if stamp_s is None:
            return Fraction(0)
        return max(Fraction(0), stamp_s - file_start_s(self._container))

    def facts(self, demuxer: str) -> Facts:
        """Return what the pass found. Raises MediaError if the picture is too large."""
        video, rate = self._video, self._video.rate
        width, height = video.display_size()
        check_size(self._name, width, height)
        tracks = [
            track.facts() | {"start_us": self._start_us(track.stream)} for track in self._tracks
        ]
        number = self._played_track(tracks)
        played = tracks[number - 1] if tracks else {}
        length_s, pictures_s = self._length_s(played), self._pictures_end_s
        return {
            "format": demuxer,
            "duration_us": round(length_s * 1_000_000),
            "pictures_us": round(pictures_s * 1_000_000) if length_s > pictures_s else None,
            "width": width,
            "height": height,
            "rate": f"{rate.numerator}/{rate.denominator}",
            "frames": video.frames if self._depth is Depth.FULL else video.packets,
            "video_stream": video.stream.index,
            "start_us": self._start_us(self._streams.audio),
            "silent_start_us": self._start_us(None),
            "video_codec": video.stream.codec_context.name,
            "field_order": video.field_order,
            "has_alpha": video.has_alpha,
            "changes_shape": video.changes_shape,
            "color": color_tags(video.first_frame) if video.first_frame else None,
            "audio_codec": played.get("codec"),
            "loudness_lufs": played.get("loudness_lufs"),
            "true_peak_dbtp": played.get("true_peak_dbtp"),
            "audio_tracks": tracks,
            "audio_track": number,
        }

    def _start_us(self, heard: AudioStream | None) -> int:
        return round(self._streams.delay_s(self._container, heard) * 1_000_000)

    def _length_s(self, played: Facts) -> Fraction:
        """Return the end of the picture, or of sound that goes on after it."""
        picture_s = self._pictures_end_s
        sound_s = self._ends.end_s(played["stream"]) if played.get("codec") else None
        is_longer = sound_s is not None and sound_s - picture_s > MAX_PADDING_S
        return sound_s if sound_s is not None and is_longer else picture_s

    def _played_track(self, tracks: Sequence[Facts]) -> int:
        """Return the number of the track that plays: the first that could be decoded."""
        order = [stream.index for stream in audio_streams(self._container)]
        codecs = {facts["stream"]: facts["codec"] for facts in tracks}
        usable = next((index for index in order if codecs[index]), None)
        indices = [facts["stream"] for facts in tracks]
        return indices.index(usable) + 1 if usable is not None else 1


def _shown_s(packet: Packet[Any], origin_s: Fraction) -> Fraction:
    if packet.pts is None or packet.time_base is None:
        return Fraction(0)
    return packet.pts * Fraction(packet.time_base) - origin_s


def _check_limits(name: str, container: InputContainer, streams: ChosenStreams) -> None:
    """Raise MediaError if the file is declared too long or its pictures are too large."""
    limit_decoder(name, streams.video)
    check_hours(name, declared_s(container))
