"""Describe how an output is encoded, and the policy that limits it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clipmill.protocol.layers import Layer
from clipmill.spec.base import Model

Encoder = Literal["libx264", "h264_nvenc", "libvpx-vp9"]
Container = Literal["mp4", "webm"]


class Profile(Model):
    """The encoding that all segments of an output share."""

    width: int
    height: int
    rate: int
    crf: int
    speed: str = Field(description="x264 preset. VP9 is always encoded in real-time mode.")
    max_bitrate: int = Field(description="Ceiling of the rate control in bit/s.")
    buffer: int | None = Field(
        None, description="Rate control buffer in bits; default two seconds of maxBitrate."
    )
    encoder: Encoder = "libx264"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    @property
    def container(self) -> Container:
        """Container of the finished file: WebM for VP9, MP4 for H.264."""
        return "webm" if self.encoder == "libvpx-vp9" else "mp4"


class OutputPolicy(Model):
    """What the owner's tier and the installation impose on every output. None is no limit."""

    tier: str = ""
    max_resolution: Literal["720p", "1080p", "1440p", "2160p"] | None = None
    max_fps: int | None = None
    encoder: Literal["libx264", "h264_nvenc"] = Field("libx264", description="Encoder of H.264.")
    watermark: Layer | None = None
    max_lengths_s: dict[str, int | None] = Field(
        {}, description="Longest video by preset, where it differs from the platform's."
    )
    refuse_too_long: bool = Field(
        False, description="Whether a longer video is refused instead of noted."
    )
