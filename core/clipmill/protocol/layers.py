"""Describe what is laid over the picture, and when, in frames.

The job renders a layer to a transparent image; its text never enters a filter graph.
"""

from __future__ import annotations

from pydantic import Field

from clipmill.spec.base import Id, Model, Sha256
from clipmill.spec.picture import Align, Fit, Focus, Pane, Position


class Framing(Model):
    """How the picture of a source fills the frame."""

    fit: Fit = Fit.CONTAIN
    zoom: int = Field(100, ge=100, le=180, description="Enlargement in percent.")
    align: Align = Align.CENTER
    focus: Focus | None = Field(None, description="Point that is kept, instead of align.")
    panes: list[Pane] = Field([], description="Parts of the picture, shown instead of the whole.")


class Image(Model):
    """An image file, named by its content."""

    media_id: Id | None = Field(None, description="Absent for an image of the installation.")
    sha256: Sha256


class Card(Model):
    """The text and picture of a creator card."""

    creator: str | None = None
    game: str | None = None
    avatar: Image | None = None


class Caption(Model):
    """A text in one colour, on an optional dark box."""

    text: str
    color: str = "#FFFFFF"
    box: int = Field(0, description="Opacity of the box in percent.")


class LayerWindow(Model):
    """When a layer is visible, in frames of its source range."""

    at: int = Field(description="First frame; negative if the layer starts before the range.")
    frames: int = Field(ge=1)
    fade: int = Field(0, ge=0, description="Frames of the fade-in, and of the fade-out.")

    def overlaps(self, frames: int) -> bool:
        """Return whether the layer is visible within a range of this length."""
        return self.at < frames and self.at + self.frames > 0


class Layer(Model):
    """One image over the picture. Exactly one of card, caption and image is set."""

    card: Card | None = None
    caption: Caption | None = None
    image: Image | None = None
    position: Position = Position.BOTTOM_RIGHT
    size: int = Field(6, description="Height in percent of the frame's height.")
    margin: int = Field(4, description="Distance from the edge in percent of the frame's height.")
    opacity: int = Field(100, description="Opacity in percent.")
    window: LayerWindow | None = Field(None, description="Absent if the layer is always visible.")

    def images(self) -> tuple[Image, ...]:
        """Return the image files that rendering the layer needs."""
        return tuple(i for i in (self.image, self.card and self.card.avatar) if i)
