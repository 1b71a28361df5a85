"""The installation's watermark: which image, and where it is laid over every picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clipmill.spec import Position

OURS = Path(__file__).with_name("watermark.png")
RANGES = {"SIZE": (1, 50), "MARGIN": (0, 40), "OPACITY": (1, 100)}
"""Whole percents; size and margin of the picture's height."""


class UnsafeWatermark(ValueError):
    """A setting of the watermark makes no sense; says which and what it may be."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """An image file and its place. Whether it is there is looked at when it is needed."""

    path: Path = OURS
    position: Position = Position.BOTTOM_RIGHT
    size: int = 7
    margin: int = 2
    opacity: int = 30


def from_environ(environ: Mapping[str, str]) -> Watermark:
    """Read CLIPMILL_WATERMARK*. Raises UnsafeWatermark."""
    default = Watermark()
    return Watermark(
        path=Path(environ.get("CLIPMILL_WATERMARK") or OURS),
        position=_position(environ.get("CLIPMILL_WATERMARK_POSITION") or default.position),
        size=_percent(environ, "SIZE", default.size),
        margin=_percent(environ, "MARGIN", default.margin),
        opacity=_percent(environ, "OPACITY", default.opacity),
    )


def _position(text: str) -> Position:
    try:
        return Position(text)
    except ValueError:
        known = ", ".join(Position)
        raise UnsafeWatermark(f"CLIPMILL_WATERMARK_POSITION is {text!r}: {known}") from None


def _percent(environ: Mapping[str, str], name: str, default: int) -> int:
    least, most = RANGES[name]
    text = environ.get(f"CLIPMILL_WATERMARK_{name}") or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise UnsafeWatermark(f"CLIPMILL_WATERMARK_{name} is {text!r}: {least} to {most} percent")
    return int(text)
