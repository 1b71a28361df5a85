"""Read an image file: format by its content, decoded completely, within size limits.

Runs in the prober's child process (see __main__.py).
"""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from clipmill_probe.errors import MediaError

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_SIDE = 8192
MAX_PIXELS = 40_000_000


def read_image(path: Path) -> dict[str, str | int]:
    """Return format and size in pixels of an image. Raises MediaError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _decode(path)
    except UnidentifiedImageError:
        message = f"{path.name}: not a supported image; supported formats: PNG, JPEG, WebP"
        raise MediaError("NotMedia", message) from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        message = f"{path.name}: exceeds the limit of {MAX_PIXELS} pixels"
        raise MediaError("TooLarge", message) from None
    except (OSError, ValueError, SyntaxError, Warning) as error:
        raise MediaError("Damaged", f"{path.name}: {str(error)[:200]}") from None


def _decode(path: Path) -> dict[str, str | int]:
    with Image.open(path, formats=FORMATS) as image:
        width, height = image.size
        if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            limit = f"{MAX_SIDE} pixels per side and {MAX_PIXELS} in total"
            message = f"{path.name}: {width}x{height} pixels exceed the limit of {limit}"
            raise MediaError("TooLarge", message)
        image.load()
        name = str(image.format).lower()
        return {"format": name, "duration_us": 0, "width": width, "height": height}
