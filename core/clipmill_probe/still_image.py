"""What is in an image file: opened by its own bytes, decoded whole, within limits.

Runs in a child process of its own (see __main__.py), as all reading of strange files does.
"""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from clipmill_probe.errors import MediaError

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_SIDE = 8192
MAX_PIXELS = 40_000_000


def examine_image(path: Path) -> dict[str, str | int]:
    """Format and size of an image, as facts of something that has no frames. Raises MediaError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _decoded(path)
    except UnidentifiedImageError:
        raise MediaError(
            "NotMedia", f"{path.name}: not an image (read are PNG, JPEG and WebP)"
        ) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        limit = f"at most {MAX_PIXELS} pixels are read"
        raise MediaError("TooLarge", f"{path.name}: {limit}") from None
    except (OSError, ValueError, SyntaxError, Warning) as error:
        raise MediaError("Damaged", f"{path.name}: {str(error)[:200]}") from None


def _decoded(path: Path) -> dict[str, str | int]:
    with Image.open(path, formats=FORMATS) as image:
        width, height = image.size
        if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            limit = f"at most {MAX_SIDE} a side and {MAX_PIXELS} in all are read"
            raise MediaError("TooLarge", f"{path.name}: {width}x{height} pixels; {limit}")
        image.load()
        name = str(image.format).lower()
        return {"format": name, "duration_us": 0, "width": width, "height": height}
