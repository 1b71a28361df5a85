"""Clips of an OpenTimelineIO track as clips of a manifest, with their trims and dissolves.

Faults are gathered by name, so that a person reads all of them at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

import opentimelineio as otio

from clipmill.otio.exporter import KEY, MEDIA
from clipmill.spec import Curve, TransitionType

SHORTEST_S = Fraction(1, 25)
"""The shortest crossfade that a manifest may ask for."""


class OtioImportError(ValueError):
    """What is in the file that a manifest cannot say: one line for each thing, by name."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


def clips_of(track: Any, faults: list[str]) -> list[dict[str, Any]]:
    """The clips of the video track; `whole` names what of ours is played uncut."""
    items, found = list(track), []
    for i, item in enumerate(items):
        if isinstance(item, otio.schema.Transition):
            faults += _transition_faults(items, i)
        elif isinstance(item, otio.schema.Clip):
            before = items[i - 1] if i else None
            after = items[i + 1] if i + 1 < len(items) else None
            found.append(_clip(item, before, after, faults))
        else:
            faults.append(_no_clip(item))
    return found


def _no_clip(item: Any) -> str:
    if isinstance(item, otio.schema.Gap):
        return f"a gap of {float(_seconds(item.duration())):.2f}s in the video track"
    return f"{describe_item(item)}: nested in the video track; only clips can be carried"


def _transition_faults(items: Sequence[Any], i: int) -> list[str]:
    item = items[i]
    faults = []
    if i in (0, len(items) - 1):
        faults.append(f"{describe_item(item)}: at the end of the track; a fade needs two clips")
    if _fade(item) is None:
        faults.append(
            f"{describe_item(item)}: of the type {item.transition_type}; dissolves are carried"
        )
    length = _seconds(item.in_offset) + _seconds(item.out_offset)
    if not 0 < length <= 10:
        faults.append(f"{describe_item(item)}: {float(length):.2f}s long, not between 0s and 10s")
    return faults


def _fade(item: Any) -> dict[str, str] | None:
    """Type and curve: ours when the file says so, else a plain dissolve's."""
    ours = clipmill_metadata(item)
    if ours.get("type") in set(TransitionType):
        curve = ours.get("curve", Curve.EQUAL_POWER.value)
        return {"type": ours["type"], "curve": curve if curve in set(Curve) else "EqualPower"}
    if item.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve:
        return {"type": TransitionType.FADE.value}
    return None


def _clip(item: Any, before: Any, after: Any, faults: list[str]) -> dict[str, Any]:
    faults += effect_faults(item)
    if not item.enabled:
        faults.append(f"{describe_item(item)}: it is disabled; take it out")
    found = source_of_item(item, faults)
    head = before.in_offset if isinstance(before, otio.schema.Transition) else None
    tail = after.out_offset if isinstance(after, otio.schema.Transition) else None
    found |= {"title": item.name[:200]} if item.name else {}
    if item.source_range is not None:
        start = _seconds(item.source_range.start_time) - _seconds(head)
        end = start + _seconds(head) + _seconds(item.source_range.duration) + _seconds(tail)
        if start < 0:
            faults.append(f"{describe_item(item)}: it has no frames for the fade before it")
        found |= {"start": _duration(start), "end": _duration(end)}
        found |= _whole(item, start, end) if head is None and "mediaId" in found else {}
    fade = _fade(before) if head is not None else None
    if fade:
        length = _seconds(before.in_offset) + _seconds(before.out_offset)
        # The timeline shortens it again where the clips are that short.
        found["transition"] = {**fade, "duration": _duration(max(length, SHORTEST_S))}
    credit = {
        name: clipmill_metadata(item)[name]
        for name in ("creator", "game")
        if clipmill_metadata(item).get(name)
    }
    return found | ({"credit": credit} if credit else {})


def _whole(item: Any, start: Fraction, end: Fraction) -> dict[str, str]:
    """What a clip of ours is, when all of it plays that played."""
    ours = clipmill_metadata(item)
    frames = end * Fraction(item.source_range.duration.rate)
    return {"whole": str(ours.get("kind"))} if not start and frames == ours.get("frames") else {}


def source_of_item(item: Any, faults: list[str]) -> dict[str, Any]:
    """`mediaId` of our own files, else the `url` that the reference names."""
    media = item.media_reference
    if not isinstance(media, otio.schema.ExternalReference):
        faults.append(f"{describe_item(item)}: its media is a {type(media).__name__}, not a file")
        return {}
    media_id = clipmill_metadata(media).get("mediaId")
    if media_id and (not media.target_url or media.target_url.startswith(MEDIA)):
        return {"mediaId": media_id}
    scheme = urlsplit(media.target_url).scheme
    if scheme not in ("", "file", "http", "https"):
        faults.append(
            f"{describe_item(item)}: its media {media.target_url[:100]!r} is no file and no URL"
        )
    return {"url": media.target_url}


def effect_faults(item: Any) -> list[str]:
    """What changes an item's picture, sound or speed."""
    found = []
    for effect in item.effects:
        kind = type(effect).__name__
        if isinstance(effect, otio.schema.TimeEffect):
            found.append(f"{describe_item(item)}: the speed change {effect.name or kind!r}")
        else:
            found.append(
                f"{describe_item(item)}: the effect {effect.effect_name or effect.name or kind!r}"
            )
    return found


def describe_item(item: Any) -> str:
    """An item by its kind and name."""
    kind = type(item).__name__.lower()
    return f"{kind} {item.name!r}" if item.name else f"a {kind} without a name"


def clipmill_metadata(item: Any) -> Mapping[str, Any]:
    """What Clipmill wrote about an item."""
    found = item.metadata.get(KEY)
    return found if isinstance(found, Mapping) else {}


def _seconds(time: Any) -> Fraction:
    if time is None:
        return Fraction(0)
    if not (math.isfinite(time.value) and math.isfinite(time.rate) and time.rate > 0):
        raise OtioImportError(f"a time of {time.value} at the rate {time.rate} is none")
    return Fraction(time.value) / Fraction(time.rate)


def _duration(seconds: Fraction) -> str:
    """To the microsecond, which is far less than a frame."""
    return re.sub(r"\.?0+s$", "s", f"{float(seconds):.6f}s")
