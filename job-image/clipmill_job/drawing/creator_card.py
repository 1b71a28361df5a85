"""The creator card: a dark box with the avatar, the creator's name and the game.

Measured for a frame of 1080 lines and scaled from there: by the height of a lying frame, by the
width of a standing one, so that it always fits.
"""

from __future__ import annotations

from PIL import Image as Pictures
from PIL import ImageOps
from PIL.Image import Image, Resampling

from clipmill.protocol import Card
from clipmill_job.drawing.text_drawing import Style, fitting, lettered

FULL = 1080
WIDTH, HEIGHT, FROM_BELOW = 1000, 157, 238
AVATAR, AVATAR_X, AVATAR_Y = 128, 50, 15
TEXT_X, TEXT_X_ALONE, TEXT_END = 198, 50, 970
BOX = (0, 0, 0, 178)
BYLINE = "clip by"
LINES = {"byline": (28, 28, 102), "creator": (58, 48, 230), "game": (108, 26, 128)}
"""Of each line: its upper edge within the box, its size, and its alpha."""


def card(words: Card, frame: tuple[int, int], avatar: Image | None) -> tuple[Image, int]:
    """The card's picture and its upper edge in the frame; its left edge is the frame's."""
    share = min(frame) / FULL
    box = Pictures.new("RGBA", (_px(WIDTH, share), _px(HEIGHT, share)), BOX)
    if avatar:
        side = _px(AVATAR, share)
        square = ImageOps.fit(avatar, (side, side), Resampling.LANCZOS)
        box.alpha_composite(square, (_px(AVATAR_X, share), _px(AVATAR_Y, share)))
    x = TEXT_X if avatar else TEXT_X_ALONE
    for text, line in _lines(words):
        _write(box, text, line, x, share)
    return box, frame[1] - _px(FROM_BELOW, share)


def _lines(words: Card) -> list[tuple[str, str]]:
    """What is written where; a game alone takes the creator's place."""
    if not words.creator:
        return [(words.game or "", "creator")]
    lines = [(BYLINE, "byline"), (words.creator, "creator")]
    return [*lines, (words.game, "game")] if words.game else lines


def _write(box: Image, text: str, line: str, x: int, share: float) -> None:
    y, size, alpha = LINES[line]
    one_line = " ".join(text.split())
    shown, px = fitting(one_line, max(4, _px(size, share)), _px(TEXT_END - x, share))
    image = lettered(shown, Style(px, (255, 255, 255, alpha)))
    # The letters' upper edge, not the line's, is what is measured from.
    box.alpha_composite(image, (_px(x, share), max(0, _px(y - size // 8, share))))


def _px(length: int, share: float) -> int:
    return max(1, round(length * share))
