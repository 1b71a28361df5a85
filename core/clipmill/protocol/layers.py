"""What an order says of the picture: the form of a segment, framing, and drawings with their frames.

A layer is drawn by the job to a transparent image; its words never enter a filter graph.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clipmill.spec.base import Id, Model, Sha256
from clipmill.spec.picture import Align, Fit, Pane, Position

Encoder = Literal["libx264", "h264_nvenc", "libvpx-vp9"]
Container = Literal["mp4", "webm"]


class Profile(Model):
    """The one form in which every segment of an output is encoded."""

    width: int
    height: int
    rate: int
    crf: int
    speed: str = Field(description="x264 preset; VP9 is always made in real-time mode")
    max_bitrate: int = Field(description="bit/s, the ceiling of the rate control")
    buffer: int | None = Field(
        None, description="bits of the rate control's buffer; None: two seconds of max_bitrate"
    )
    encoder: Encoder = "libx264"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    @property
    def container(self) -> Container:
        """The finished file's: VP9 goes into WebM, H.264 into MP4."""
        return "webm" if self.encoder == "libvpx-vp9" else "mp4"


class Framing(Model):
    """How one shot fills the frame."""

    fit: Fit = Fit.CONTAIN
    zoom: int = Field(100, ge=100, le=180, description="percent")
    align: Align = Align.CENTER
    panes: list[Pane] = Field([], description="instead of the whole picture, these parts of it")


class Image(Model):
    """An image file, named by its content. Without media_id it is the installation's own."""

    media_id: Id | None = None
    sha256: Sha256


class Card(Model):
    """The creator card's words and picture."""

    creator: str | None = None
    game: str | None = None
    avatar: Image | None = None


class Caption(Model):
    """A text in one colour, with a box behind of so many percent darkness."""

    text: str
    color: str = "#FFFFFF"
    box: int = 0


class LayerWindow(Model):
    """When a layer is seen, in frames of its cut; `at` is below 0 when it began before the cut."""

    at: int
    frames: int = Field(ge=1)
    fade: int = Field(0, ge=0, description="frames of coming, and of going")

    def over(self, frames: int) -> bool:
        """Whether any of it is seen in a cut of so many frames."""
        return self.at < frames and self.at + self.frames > 0


class Layer(Model):
    """One drawing over the picture: exactly one of card, words and image is set."""

    card: Card | None = None
    caption: Caption | None = None
    image: Image | None = None
    position: Position = Position.BOTTOM_RIGHT
    size: int = Field(6, description="percent of the frame's height")
    margin: int = Field(4, description="percent of the frame's height")
    opacity: int = Field(100, description="percent")
    window: LayerWindow | None = Field(None, description="None: all the time")

    def images(self) -> tuple[Image, ...]:
        """The image files that drawing it needs."""
        return tuple(i for i in (self.image, self.card and self.card.avatar) if i)


class OutputPolicy(Model):
    """What the owner's tier and the installation lay on every output. None: no limit."""

    tier: str = ""
    max_resolution: Literal["720p", "1080p", "1440p", "2160p"] | None = None
    max_fps: int | None = None
    encoder: Literal["libx264", "h264_nvenc"] = Field("libx264", description="of H.264")
    watermark: Layer | None = None
