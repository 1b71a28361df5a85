"""A layer of an order to a transparent picture and its place in the frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from PIL import Image as Pictures
from PIL import ImageColor
from PIL.Image import Image, Resampling

from clipmill.protocol import Layer, Words
from clipmill.spec import Position
from clipmill_job.drawing.creator_card import card
from clipmill_job.drawing.text_drawing import LEADING, Style, fitting, lettered

FORMATS = ("PNG", "JPEG", "WEBP")
Files = Mapping[str, Path]
"""Image files by their sha256."""


class Placed(NamedTuple):
    """A picture and the place of its upper left corner, even pixels both."""

    image: Image
    x: int
    y: int


def draw(layer: Layer, frame: tuple[int, int], files: Files) -> Placed:
    """The layer for a frame of this size."""
    width, height = frame
    if layer.card:
        avatar = opened(files[layer.card.avatar.sha256]) if layer.card.avatar else None
        image, y = card(layer.card, frame, avatar)
        return _even(image, 0, y, frame)
    edge = round(height * layer.margin / 100)
    room = (max(2, width - 2 * edge), max(2, height - 2 * edge))
    if layer.words:
        image = _words(layer.words, round(height * layer.size / 100), room, layer.position)
    else:
        assert layer.image is not None, "a layer is a card, words or an image"
        image = _scaled(opened(files[layer.image.sha256]), round(height * layer.size / 100), room)
    x, y = _corner(layer.position, image.size, frame, edge)
    return _even(_faded(image, layer.opacity), x, y, frame)


def opened(path: Path) -> Image:
    """An image file with its transparency, of the formats that the API has let in."""
    with Pictures.open(path, formats=FORMATS) as image:
        return image.convert("RGBA")


def _scaled(image: Image, height: int, room: tuple[int, int]) -> Image:
    """So many pixels high, or less where it would be wider or higher than the room."""
    share = min(height / image.height, room[0] / image.width, room[1] / image.height)
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    # Transparent pixels have colours too: premultiplied, they do not leak into the edge.
    return image.convert("RGBa").resize(size, Resampling.LANCZOS).convert("RGBA")


def _words(words: Words, line: int, room: tuple[int, int], position: Position) -> Image:
    """Lines of text, over a box or with an outline."""
    colour = (*ImageColor.getrgb(words.color)[:3], 255)
    size = max(4, round(line / LEADING))
    padding = size // 3 if words.box else 0
    lines = words.text.splitlines() or [""]
    fitted = [fitting(text, size, room[0] - 2 * padding - size // 2) for text in lines]
    size = min(found for _, found in fitted)
    outline = 0 if words.box else max(1, size // 16)
    drawn = [lettered(text, Style(size, colour, outline)) for text, _ in fitted]
    width = max(image.width for image in drawn) + 2 * padding
    height = sum(image.height for image in drawn) + 2 * padding
    block = Pictures.new("RGBA", (width, height), (0, 0, 0, round(255 * words.box / 100)))
    y = padding
    for image in drawn:
        x = padding + round((width - 2 * padding - image.width) * _aside(position))
        block.alpha_composite(image, (x, y))
        y += image.height
    return block if block.height <= room[1] else _scaled(block, room[1], room)


def _aside(position: Position) -> float:
    """0 left, 1 right."""
    if position.endswith("Left"):
        return 0.0
    return 1.0 if position.endswith("Right") else 0.5


def _corner(
    position: Position, size: tuple[int, int], frame: tuple[int, int], edge: int
) -> tuple[int, int]:
    down = 0.0 if position.startswith("Top") else 1.0 if position.startswith("Bottom") else 0.5
    x = edge + (frame[0] - 2 * edge - size[0]) * _aside(position)
    y = edge + (frame[1] - 2 * edge - size[1]) * down
    return max(0, round(x)), max(0, round(y))


def _faded(image: Image, opacity: int) -> Image:
    if opacity < 100:
        image.putalpha(image.getchannel("A").point(lambda alpha: alpha * opacity // 100))
    return image


def _even(image: Image, x: int, y: int, frame: tuple[int, int]) -> Placed:
    """On even pixels, where colours are: a transparent row or column is added where needed."""
    left, top = x % 2, y % 2
    width = min(image.width + left, frame[0] - x + left)
    height = min(image.height + top, frame[1] - y + top)
    size = (max(2, width + width % 2), max(2, height + height % 2))
    canvas = Pictures.new("RGBA", size, (0, 0, 0, 0))
    canvas.paste(image, (left, top))
    return Placed(canvas, x - left, y - top)
