"""The audio streams of a file: each decoded and measured on its own."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from clipmill.ffmpeg.ebur128 import SILENCE
from clipmill.timeline.loudness_blocks import encode_blocks
from clipmill_probe.loudness_filter import LoudnessMeter

# Tracks beyond these are listed and can be chosen, but are not measured.
MAX_MEASURED_TRACKS = 8
MAX_LANGUAGE_LENGTH = 20


class AudioTrackReader:
    """Follows one audio stream; with a meter it decodes and measures every packet."""

    def __init__(self, stream: AudioStream, *, is_measured: bool) -> None:
        self.stream = stream
        self._meter = LoudnessMeter() if is_measured and stream.codec_context else None
        self._is_decoded = False
        self._form: object = None
        self._changes_form = False

    def read(self, packet: Packet[Any], *, start_s: Fraction) -> None:
        """Measure a packet; one that cannot be decoded is passed over, as players do.

        Args:
            packet: A packet of this stream.
            start_s: Time stamp at which the file starts.
        """
        if self._meter is None:
            return
        try:
            frames = self.stream.decode(packet)
        except av.FFmpegError:
            return
        for frame in frames:
            self.measure(frame, at_s=_time_s(frame, start_s) - start_s)

    def measure(self, frame: AudioFrame, *, at_s: Fraction) -> None:
        """Feed a decoded frame that is heard `at_s` seconds after the start of the file."""
        if self._meter:
            self._is_decoded = True
            form = (frame.sample_rate, frame.format.name, frame.layout.name)
            self._changes_form = self._changes_form or self._form not in (None, form)
            self._form = form
            self._meter.push(frame, at_s=at_s)

    def facts(self) -> dict[str, Any]:
        """Return what `AudioTrack` describes, in its names."""
        loudness, peak = self._meter.finish() if self._meter else SILENCE
        blocks, hop_ms = encode_blocks(self._meter.blocks() if self._meter else [])
        # Of a track without a single decodable sample nothing can be played.
        is_usable = self._is_decoded or not self._meter
        context = self.stream.codec_context if is_usable else None
        return {
            "stream": self.stream.index,
            "codec": context.name if context else None,
            "channels": context.channels if context else 0,
            "layout": context.layout.name if context else "",
            "changes_form": self._changes_form,
            "language": _language(self.stream.metadata.get("language", "")),
            "loudness_lufs": loudness,
            "true_peak_dbtp": peak,
            "loudness_blocks": blocks,
            "loudness_hop_ms": hop_ms,
        }


def _language(tag: str) -> str:
    return "".join(char for char in tag if char.isalnum() or char == "-")[:MAX_LANGUAGE_LENGTH]


def _time_s(frame: AudioFrame, default_s: Fraction) -> Fraction:
    if frame.pts is None or frame.time_base is None:
        return default_s
    return frame.pts * Fraction(frame.time_base)
