"""The creator card: a dark box with the avatar, the creator's name and the game.

Lengths are pixels in a frame of 1080 lines, scaled by the shorter side of the frame, so that the
card fits landscape and portrait frames.
"""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image as PilImage
from PIL import ImageOps
from PIL.Image import Image, Resampling

from clipmill.protocol import Card
from clipmill_job.drawing.text_drawing import TextStyle, draw_text, fit_text

FULL_SIDE = 1080
WIDTH, HEIGHT, BOTTOM_DISTANCE = 1000, 157, 238
AVATAR, AVATAR_X, AVATAR_Y = 128, 50, 15
TEXT_X, TEXT_X_WITHOUT_AVATAR, TEXT_END = 198, 50, 970
BOX_COLOUR = (0, 0, 0, 178)
BYLINE_TEXT = "clip by"


class CardLine(NamedTuple):
    """Upper edge within the box, text size and alpha of a line."""

    y: int
    size: int
    alpha: int


BYLINE = CardLine(28, 28, 102)
CREATOR = CardLine(58, 48, 230)
GAME = CardLine(108, 26, 128)


def draw_card(card: Card, frame: tuple[int, int], avatar: Image | None) -> tuple[Image, int]:
    """Return the card's image and its upper edge in the frame; it starts at the left edge."""
    scale = min(frame) / FULL_SIDE
    box = PilImage.new("RGBA", (_px(WIDTH, scale), _px(HEIGHT, scale)), BOX_COLOUR)
    if avatar:
        side = _px(AVATAR, scale)
        square = ImageOps.fit(avatar, (side, side), Resampling.LANCZOS)
        box.alpha_composite(square, (_px(AVATAR_X, scale), _px(AVATAR_Y, scale)))
    x = TEXT_X if avatar else TEXT_X_WITHOUT_AVATAR
    for text, line in _lines(card):
        _write(box, text, line, x=x, scale=scale)
    return box, frame[1] - _px(BOTTOM_DISTANCE, scale)


def _lines(card: Card) -> list[tuple[str, CardLine]]:
    # Without a creator the game takes that line.
    if not card.creator:
        return [(card.game or "", CREATOR)]
    lines = [(BYLINE_TEXT, BYLINE), (card.creator, CREATOR)]
    return [*lines, (card.game, GAME)] if card.game else lines


def _write(box: Image, text: str, line: CardLine, *, x: int, scale: float) -> None:
    one_line = " ".join(text.split())
    fitted, size = fit_text(one_line, max(4, _px(line.size, scale)), _px(TEXT_END - x, scale))
    image = draw_text(fitted, TextStyle(size, (255, 255, 255, line.alpha)))
    # `y` is the upper edge of the letters, not that of the line.
    box.alpha_composite(image, (_px(x, scale), max(0, _px(line.y - line.size // 8, scale))))


def _px(length: int, scale: float) -> int:
    return max(1, round(length * scale))
