"""Pictures that the demo's clips are made of: a titled card, a ball of light, a curtain."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter, ImageFont

CURTAIN = ((91, 125, 168), (127, 209, 199), (255, 224, 130), (255, 154, 98), (194, 24, 91))
Colour = tuple[int, int, int, int]
WHITE: Colour = (255, 255, 255, 255)
PALE: Colour = (255, 255, 255, 190)
SHADE: Colour = (0, 0, 0, 110)


def card(width: int, height: int, title: str, about: str) -> Image.Image:
    """A title above a line of facts, on a soft dark panel; transparent around it."""
    if not title:
        return Image.new("RGBA", (2, 2))
    draw = ImageDraw.Draw(Image.new("RGBA", (width, height)))
    large = ImageFont.load_default(min(width // 6, height // 5))
    small = ImageFont.load_default(max(14, width // 32, height // 36))
    pad, gap = width // 30, max(width, height) // 24
    head = draw.textbbox((0, 0), title, font=large, anchor="lt")
    line = draw.textbbox((0, 0), about, font=small, anchor="lt")
    wide = round(max(head[2], line[2])) + 2 * pad
    high = round(head[3] + gap + line[3]) + 2 * pad
    found = Image.new("RGBA", (wide, high))
    draw = ImageDraw.Draw(found)
    draw.rounded_rectangle((0, 0, wide - 1, high - 1), radius=pad, fill=SHADE)
    draw.text((wide / 2, pad), title, font=large, fill=WHITE, anchor="mt")
    draw.text((wide / 2, high - pad), about, font=small, fill=PALE, anchor="mb")
    return found


def ball(height: int) -> Image.Image:
    """A bright ball with a soft rim, a quarter of the picture high."""
    side = height // 4 // 2 * 2
    found = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    rim = side // 8
    ImageDraw.Draw(found).ellipse((rim, rim, side - rim, side - rim), fill=(255, 255, 255, 215))
    return found.filter(ImageFilter.GaussianBlur(rim / 3))


def curtain(width: int, height: int) -> Image.Image:
    """Slanted stripes that cover the whole picture as they pass."""
    slant, wide = height // 2, width + height
    found = Image.new("RGBA", (wide, height))
    draw = ImageDraw.Draw(found)
    stripe = (wide - slant) / len(CURTAIN)
    for i, colour in enumerate(CURTAIN):
        left, right = i * stripe, (i + 1) * stripe
        corners = [(left + slant, 0), (right + slant, 0), (right, height), (left, height)]
        draw.polygon(corners, fill=(*colour, 255))
    return found
