"""The video stream of a file, followed packet by packet."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from clipmill_probe.errors import MediaError

MAX_SIDE = 8192
# An 8K picture of 10 bits takes 95 MiB. A decoder keeps several frames, within the prober's memory.
MAX_FRAME_BYTES = 128 * 1024**2
# From this size on, frames that several threads decode at once would take too much memory.
LARGE_FRAME_BYTES = 24 * 1024**2
# ffmpeg's own guess for a stream that declares no frame rate.
DEFAULT_RATE = Fraction(25)


# Codecs whose alpha is a stream of its own, and FFmpeg's name of the tag that says so.
SEPARATE_ALPHA, ALPHA_TAG = ("vp8", "vp9"), "alpha_mode"
# In HEVC a message in the stream's header says so: head of its NAL unit, and its type.
ALPHA_MESSAGE = b"\x4e\x01\xa5"
# FFmpeg's AVFieldOrder of a stream whose lower field comes first, in time or as it is coded.
LOWER_FIELD_FIRST = (3, 5)
# Always has its lower field first, and does not declare it.
DV_TAPE = "dvvideo"


@dataclass(slots=True)
class VideoTrack:
    """Counts packets and decoded frames."""

    stream: VideoStream
    packets: int = 0
    frames: int = 0
    broken_frames: int = 0
    first_frame: VideoFrame | None = None
    is_interlaced: bool = False
    changes_shape: bool = False
    _shape: object = None

    @property
    def rate(self) -> Fraction:
        """Average frame rate in frames per second."""
        return self.stream.average_rate or self.stream.guessed_rate or DEFAULT_RATE

    def decode(self, packet: Packet[Any]) -> None:
        """Decode a packet and count its frames."""
        try:
            frames = self.stream.decode(packet)
        except MemoryError:
            raise
        except av.FFmpegError:
            self.broken_frames += 1
            return
        for frame in frames:
            self.first_frame = self.first_frame or frame
            self._note(frame)
            self.frames += 1
            self.broken_frames += int(frame.is_corrupt)

    def decode_start(self, packet: Packet[Any]) -> None:
        """Decode a packet until the first whole frame has come, and notice its form."""
        try:
            frames = self.stream.decode(packet)
        except MemoryError:
            raise
        except av.FFmpegError:
            return
        for frame in frames:
            if not frame.is_corrupt:
                self.first_frame = self.first_frame or frame
                self._note(frame)

    def decode_alone(self, packet: Packet[Any]) -> None:
        """Decode a key frame without the packets around it, and notice its form."""
        context = self.stream.codec_context
        context.flush_buffers()
        try:
            frames = [*context.decode(packet), *context.decode(None)]
        except MemoryError:
            raise
        except av.FFmpegError:
            frames = []
        context.flush_buffers()
        for frame in frames:
            self._note(frame)

    def _note(self, frame: VideoFrame) -> None:
        """Notice fields, and frames of another shape than the one before."""
        self.is_interlaced = self.is_interlaced or bool(frame.interlaced_frame)
        aspect = self.stream.codec_context.sample_aspect_ratio or Fraction(1)
        shape = (frame.width, frame.height, frame.format.name, frame.rotation, aspect)
        self.changes_shape = self.changes_shape or self._shape not in (None, shape)
        self._shape = shape

    @property
    def field_order(self) -> str | None:
        """Which field of interlaced frames comes first; None for progressive frames."""
        if not self.is_interlaced:
            return None
        context = self.stream.codec_context
        is_lower = context.field_order in LOWER_FIELD_FIRST or context.name == DV_TAPE
        return "bff" if is_lower else "tff"

    @property
    def has_alpha(self) -> bool:
        """Whether pixels may be transparent."""
        if self.stream.codec_context.name in SEPARATE_ALPHA:
            return self.stream.metadata.get(ALPHA_TAG) == "1"
        if self.stream.codec_context.name == "hevc":
            return _has_straight_alpha(self.stream.codec_context.extradata or b"")
        form = self.first_frame.format if self.first_frame else None
        return form is not None and (form.has_palette or any(c.is_alpha for c in form.components))

    def display_size(self) -> tuple[int, int]:
        """Return width and height in square pixels, after the rotation that the file asks for."""
        frame = self.first_frame
        if frame is None:
            return 0, 0
        width, height = frame.width, frame.height
        aspect = self.stream.sample_aspect_ratio or Fraction(1)
        if aspect > 0:
            width = max(1, round(width * aspect))
        return (height, width) if frame.rotation % 180 else (width, height)


def _has_straight_alpha(header: bytes) -> bool:
    """Return whether colours are still to be multiplied by alpha (alpha_channel_use_idc 0)."""
    _, head, message = header.partition(ALPHA_MESSAGE)
    return bool(head) and len(message) > 1 and not message[1] >> 4


def check_size(name: str, width: int, height: int) -> None:
    """Raise MediaError if a side exceeds MAX_SIDE pixels."""
    if max(width, height) > MAX_SIDE:
        message = f"{name}: {width}x{height} pixels exceed the limit of {MAX_SIDE} per side"
        raise MediaError("TooLarge", message)


def limit_decoder(name: str, stream: VideoStream) -> None:
    """Bound the memory that decoding takes, before the first frame is decoded.

    Raises:
        MediaError: One frame exceeds MAX_SIDE or MAX_FRAME_BYTES.
    """
    context = stream.codec_context
    check_size(name, context.width, context.height)
    bits = context.format.padded_bits_per_pixel if context.format else 32
    frame_bytes = context.width * context.height * bits // 8
    if frame_bytes > MAX_FRAME_BYTES:
        size = f"{context.width}x{context.height} pixels of {bits} bits"
        message = f"{name}: {size} exceed the limit of {MAX_FRAME_BYTES >> 20} MiB per frame"
        raise MediaError("TooLarge", message)
    if frame_bytes > LARGE_FRAME_BYTES:
        context.thread_count = 1
    stream.thread_type = "AUTO"
    context.options = {"max_pixels": str(MAX_SIDE * MAX_SIDE)}
