"""Convert a still image to the PNG that ffmpeg reads: upright, opaque, 8 bit RGB."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as PilImage
from PIL import ImageOps

# The formats that the API accepts.
FORMATS = ("PNG", "JPEG", "WEBP")


def convert_still(path: Path, out: Path) -> None:
    """Write an image as PNG, turned as its EXIF data says, transparent parts over black.

    Raises:
        OSError, ValueError, SyntaxError: The image cannot be decoded.
    """
    with PilImage.open(path, formats=FORMATS) as image:
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    black = PilImage.new("RGBA", upright.size, "black")
    PilImage.alpha_composite(black, upright).convert("RGB").save(out, "PNG", compress_level=1)
