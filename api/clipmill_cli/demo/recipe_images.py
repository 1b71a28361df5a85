"""Images for the demo's clips: a titled card, a bright ball, a striped curtain."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFilter, ImageFont

CURTAIN = ((91, 125, 168), (127, 209, 199), (255, 224, 130), (255, 154, 98), (194, 24, 91))
Colour = tuple[int, int, int, int]
WHITE: Colour = (255, 255, 255, 255)
PALE: Colour = (255, 255, 255, 190)
SHADE: Colour = (0, 0, 0, 110)


def card(width: int, height: int, title: str, details: str) -> Image.Image:
    """Return a panel with a title and a line of details, sized for a frame of width x height."""
    if not title:
        return Image.new("RGBA", (2, 2))
    draw = ImageDraw.Draw(Image.new("RGBA", (width, height)))
    large = ImageFont.load_default(min(width // 6, height // 5))
    small = ImageFont.load_default(max(14, width // 32, height // 36))
    padding, gap = width // 30, max(width, height) // 24
    title_box = draw.textbbox((0, 0), title, font=large, anchor="lt")
    details_box = draw.textbbox((0, 0), details, font=small, anchor="lt")
    panel_width = round(max(title_box[2], details_box[2])) + 2 * padding
    panel_height = round(title_box[3] + gap + details_box[3]) + 2 * padding
    image = Image.new("RGBA", (panel_width, panel_height))
    draw = ImageDraw.Draw(image)
    corners = (0, 0, panel_width - 1, panel_height - 1)
    draw.rounded_rectangle(corners, radius=padding, fill=SHADE)
    middle = panel_width / 2
    draw.text((middle, padding), title, font=large, fill=WHITE, anchor="mt")
    draw.text((middle, panel_height - padding), details, font=small, fill=PALE, anchor="mb")
    return image


def ball(height: int) -> Image.Image:
    """Return a bright ball with a soft edge, a quarter of the frame's height."""
    side = height // 4 // 2 * 2
    image = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    rim = side // 8
    ImageDraw.Draw(image).ellipse((rim, rim, side - rim, side - rim), fill=(255, 255, 255, 215))
    return image.filter(ImageFilter.GaussianBlur(rim / 3))


def curtain(width: int, height: int) -> Image.Image:
    """Return slanted stripes that cover the whole frame while they pass."""
    slant, curtain_width = height // 2, width + height
    image = Image.new("RGBA", (curtain_width, height))
    draw = ImageDraw.Draw(image)
    stripe = (curtain_width - slant) / len(CURTAIN)
    for i, colour in enumerate(CURTAIN):
        left, right = i * stripe, (i + 1) * stripe
        corners = [(left + slant, 0), (right + slant, 0), (right, height), (left, height)]
        draw.polygon(corners, fill=(*colour, 255))
    return image
