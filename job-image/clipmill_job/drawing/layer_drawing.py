"""Render a layer to a transparent image and find its place in the frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from PIL import Image as PilImage
from PIL import ImageColor
from PIL.Image import Image, Resampling

from clipmill.protocol import Caption, Layer
from clipmill.spec import Position
from clipmill_job.drawing.creator_card import draw_card
from clipmill_job.drawing.still_picture import FORMATS
from clipmill_job.drawing.text_drawing import LINE_HEIGHT, TextStyle, draw_text, fit_text

# Image files by sha256.
ImageFiles = Mapping[str, Path]


class PlacedImage(NamedTuple):
    """An image and the place of its upper left corner; sizes and places are even."""

    image: Image
    x: int
    y: int


def draw_layer(layer: Layer, frame: tuple[int, int], files: ImageFiles) -> PlacedImage:
    """Render a layer for a frame of a size in pixels.

    Raises:
        OSError, ValueError, SyntaxError: An image file cannot be decoded.
    """
    if layer.card:
        avatar = open_image(files[layer.card.avatar.sha256]) if layer.card.avatar else None
        image, y = draw_card(layer.card, frame, avatar)
        return _align_even(image, 0, y, frame)
    width, height = frame
    margin = round(height * layer.margin / 100)
    room = (max(2, width - 2 * margin), max(2, height - 2 * margin))
    image = _draw_content(layer, round(height * layer.size / 100), room, files)
    x, y = _corner(layer.position, image.size, frame, margin)
    return _align_even(_with_opacity(image, layer.opacity), x, y, frame)


def open_image(path: Path) -> Image:
    """Return an image file with its alpha channel."""
    with PilImage.open(path, formats=FORMATS) as image:
        return image.convert("RGBA")


def _draw_content(layer: Layer, height: int, room: tuple[int, int], files: ImageFiles) -> Image:
    if layer.caption:
        return _draw_caption(layer.caption, height, room, layer.position)
    assert layer.image is not None, "a layer has a card, a caption or an image"
    return _scale(open_image(files[layer.image.sha256]), height, room)


def _scale(image: Image, height: int, room: tuple[int, int]) -> Image:
    """Scale an image to a height, or less if it would exceed the room."""
    scale = min(height / image.height, room[0] / image.width, room[1] / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # Premultiplied alpha: the colours of transparent pixels do not bleed into the edge.
    return image.convert("RGBa").resize(size, Resampling.LANCZOS).convert("RGBA")


def _draw_caption(
    caption: Caption, line_height: int, room: tuple[int, int], position: Position
) -> Image:
    """Draw lines of text over a box or with an outline."""
    size = max(4, round(line_height / LINE_HEIGHT))
    padding = size // 3 if caption.box else 0
    lines, size = _fit_lines(caption.text, size, room[0] - 2 * padding - size // 2)
    colour = (*ImageColor.getrgb(caption.color)[:3], 255)
    outline = 0 if caption.box else max(1, size // 16)
    images = [draw_text(line, TextStyle(size, colour, outline)) for line in lines]
    block = _stack(images, padding, caption.box, _horizontal_share(position))
    return block if block.height <= room[1] else _scale(block, room[1], room)


def _fit_lines(text: str, size: int, width: int) -> tuple[list[str], int]:
    """Return the lines of a text and the size at which all of them fit the width."""
    fitted = [fit_text(line, size, width) for line in text.splitlines() or [""]]
    return [line for line, _ in fitted], min(size for _, size in fitted)


def _stack(lines: list[Image], padding: int, box: int, share: float) -> Image:
    """Put lines below each other on a box of an opacity in percent."""
    width = max(image.width for image in lines) + 2 * padding
    height = sum(image.height for image in lines) + 2 * padding
    block = PilImage.new("RGBA", (width, height), (0, 0, 0, round(255 * box / 100)))
    y = padding
    for image in lines:
        x = padding + round((width - 2 * padding - image.width) * share)
        block.alpha_composite(image, (x, y))
        y += image.height
    return block


def _horizontal_share(position: Position) -> float:
    """Return 0 for left, 0.5 for the middle and 1 for right."""
    if position.endswith("Left"):
        return 0.0
    return 1.0 if position.endswith("Right") else 0.5


def _vertical_share(position: Position) -> float:
    """Return 0 for top, 0.5 for the middle and 1 for bottom."""
    if position.startswith("Top"):
        return 0.0
    return 1.0 if position.startswith("Bottom") else 0.5


def _corner(
    position: Position, size: tuple[int, int], frame: tuple[int, int], margin: int
) -> tuple[int, int]:
    x = margin + (frame[0] - 2 * margin - size[0]) * _horizontal_share(position)
    y = margin + (frame[1] - 2 * margin - size[1]) * _vertical_share(position)
    return max(0, round(x)), max(0, round(y))


def _with_opacity(image: Image, opacity: int) -> Image:
    if opacity < 100:
        image.putalpha(image.getchannel("A").point(lambda alpha: alpha * opacity // 100))
    return image


def _align_even(image: Image, x: int, y: int, frame: tuple[int, int]) -> PlacedImage:
    """Pad with transparent pixels to even sizes and places: 4:2:0 colours cover 2x2 pixels."""
    left, top = x % 2, y % 2
    width = min(image.width + left, frame[0] - x + left)
    height = min(image.height + top, frame[1] - y + top)
    size = (max(2, width + width % 2), max(2, height + height % 2))
    canvas = PilImage.new("RGBA", size, (0, 0, 0, 0))
    canvas.paste(image, (left, top))
    return PlacedImage(canvas, x - left, y - top)
