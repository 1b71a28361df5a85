"""The output and the music of a project in the words of a Compilation."""

from __future__ import annotations

import math
import re
from typing import Any

from clipmill.spec import FRAME_RATES
from clipmill.timeline.presets import PRESETS
from clipmill_cli.legacy_import.legacy_database import Row

SIZES = {
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "1440p": (2560, 1440),
    "2k": (2560, 1440),
    "2160p": (3840, 2160),
    "4k": (3840, 2160),
}
DEFAULT_SIZE, DEFAULT_RATE, SIDES = (1920, 1080), 30, range(64, 3841, 2)
ZOOMS = (100, 180)


def output_document(row: Row, notes: list[str]) -> dict[str, Any]:
    """Return the output of a project: its preset, or a custom one of its size."""
    width, height = _size(str(row.get("output_resolution") or "1080p").lower(), notes)
    container = _container(str(row.get("output_format") or "mp4").lower(), notes)
    preset = str(row.get("platform_preset") or "custom").lower()
    output: dict[str, Any] = {"name": "main", "preset": preset}
    size = PRESETS[preset][:2] if preset in PRESETS else None
    if size != (width, height) or container != "mp4":
        rate = _rate(row, notes)
        output |= {"preset": "custom", "width": width, "height": height, "rate": rate}
        output |= {"container": container} if container != "mp4" else {}
        if preset != "custom":
            notes.append(f"preset {preset} became custom, for {width}x{height} in {container}")
    # There, only portrait outputs had a zoom and an alignment.
    if height > width:
        zoom = row.get("vertical_zoom") or ZOOMS[0]
        output["zoom"] = min(max(int(zoom), ZOOMS[0]), ZOOMS[1])
        align = str(row.get("vertical_align") or "center").capitalize()
        output["align"] = align if align in ("Left", "Right") else "Center"
    return output


def _size(label: str, notes: list[str]) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", label)
    size = (int(match[1]), int(match[2])) if match else SIZES.get(label)
    if size and size[0] in SIDES and size[1] in SIDES:
        return size
    notes.append(f"output_resolution {label[:40]!r} became 1920x1080")
    return DEFAULT_SIZE


def _container(label: str, notes: list[str]) -> str:
    if label not in ("mp4", "webm"):
        notes.append(f"output_format {label[:40]!r} became mp4")
        return "mp4"
    return label


def _rate(row: Row, notes: list[str]) -> int:
    rate = row.get("fps") or DEFAULT_RATE
    if rate in FRAME_RATES:
        return int(rate)
    notes.append(f"fps {rate} became {DEFAULT_RATE}")
    return DEFAULT_RATE


def music_document(row: Row, media_id: str, notes: list[str]) -> dict[str, Any] | None:
    """Return the music of a project; None if its volume is 0."""
    volume = row.get("music_volume")
    volume = 0.3 if volume is None else float(volume)
    if volume <= 0:
        notes.append("the music is left out, since its volume is 0")
        return None
    starts = str(row.get("music_start_mode") or "after_intro").lower()
    ends = str(row.get("music_end_mode") or "before_outro").lower()
    return {
        "mediaId": media_id,
        "gain": decibels(volume, -60),
        "from": "Start" if starts == "start" else "AfterIntro",
        "until": "End" if ends == "end" else "BeforeOutro",
        "duck": {
            "threshold": decibels(_number(row, "duck_threshold", 0.02), -60),
            "ratio": min(max(round(_number(row, "duck_ratio", 20)), 1), 20),
            "attack": f"{min(max(round(_number(row, 'duck_attack', 1)), 1), 2000)}ms",
            "release": f"{min(max(round(_number(row, 'duck_release', 250)), 1), 9000)}ms",
        },
    }


def _number(row: Row, column: str, default: float) -> float:
    value = row.get(column)
    return default if value is None else float(value)


def decibels(level: float, lowest: int) -> str:
    """Return a linear level of 0 to 1 in dB, at least `lowest`."""
    gain = 20 * math.log10(level) if level > 0 else lowest
    return f"{min(max(round(gain, 1), lowest), 0) + 0.0:g}dB"
