"""Convert the clips of an OpenTimelineIO track to clips of a manifest, with trims and dissolves.

Faults are collected, so that a person reads all of them at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

import opentimelineio as otio

from clipmill.otio.exporter import MEDIA_SCHEME, METADATA_KEY
from clipmill.spec import Curve, TransitionType

# Shortest transition that a manifest allows.
MIN_TRANSITION_S = Fraction(1, 25)


class OtioImportError(ValueError):
    """The document has parts that a manifest cannot express; there is one reason for each."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


def clips_of(track: Any, faults: list[str]) -> list[dict[str, Any]]:
    """Return the clips of the video track and append faults.

    The key `whole` of a clip holds the kind of an item that Clipmill exported and that plays
    uncut.
    """
    items, clips = list(track), []
    for i, item in enumerate(items):
        if isinstance(item, otio.schema.Transition):
            faults += _transition_faults(items, i)
        elif isinstance(item, otio.schema.Clip):
            previous = items[i - 1] if i else None
            following = items[i + 1] if i + 1 < len(items) else None
            clips.append(_clip(item, previous, following, faults))
        else:
            faults.append(_unsupported_item(item))
    return clips


def _unsupported_item(item: Any) -> str:
    if isinstance(item, otio.schema.Gap):
        return f"a gap of {float(_seconds(item.duration())):.2f}s in the video track"
    return f"{describe_item(item)}: nested in the video track; only clips can be imported"


def _transition_faults(items: Sequence[Any], i: int) -> list[str]:
    item, name, faults = items[i], describe_item(items[i]), []
    if i in (0, len(items) - 1):
        faults.append(f"{name}: at the end of the track; a transition needs two clips")
    if _transition(item) is None:
        faults.append(f"{name}: of the type {item.transition_type}; only dissolves are supported")
    length = _seconds(item.in_offset) + _seconds(item.out_offset)
    if not 0 < length <= 10:
        faults.append(f"{name}: {float(length):.2f}s long, not between 0s and 10s")
    return faults


def _transition(item: Any) -> dict[str, str] | None:
    """Return type and curve from Clipmill's metadata, or of a plain dissolve."""
    metadata = clipmill_metadata(item)
    if metadata.get("type") in set(TransitionType):
        curve = metadata.get("curve")
        is_known = curve in set(Curve)
        return {"type": metadata["type"], "curve": curve if is_known else Curve.EQUAL_POWER.value}
    if item.transition_type == otio.schema.TransitionTypes.SMPTE_Dissolve:
        return {"type": TransitionType.FADE.value}
    return None


def _clip(item: Any, previous: Any, following: Any, faults: list[str]) -> dict[str, Any]:
    faults += effect_faults(item)
    if not item.enabled:
        faults.append(f"{describe_item(item)}: it is disabled; remove or enable it")
    clip = source_of_item(item, faults)
    clip |= {"title": item.name[:200]} if item.name else {}
    entry = previous if isinstance(previous, otio.schema.Transition) else None
    exit_ = following if isinstance(following, otio.schema.Transition) else None
    clip |= _trim(item, entry, exit_, faults, may_be_whole="mediaId" in clip)
    if entry is not None and (transition := _transition(entry)):
        length = _seconds(entry.in_offset) + _seconds(entry.out_offset)
        # The timeline shortens it again where the clips are too short for it.
        duration = _duration(max(length, MIN_TRANSITION_S))
        clip["transition"] = {**transition, "duration": duration}
    metadata = clipmill_metadata(item)
    credit = {name: metadata[name] for name in ("creator", "game") if metadata.get(name)}
    return clip | ({"credit": credit} if credit else {})


def _trim(
    item: Any, entry: Any, exit_: Any, faults: list[str], *, may_be_whole: bool
) -> dict[str, Any]:
    """Return start and end of a clip, including the frames of the transitions around it."""
    if item.source_range is None:
        return {}
    before = _seconds(entry.in_offset) if entry is not None else Fraction(0)
    after = _seconds(exit_.out_offset) if exit_ is not None else Fraction(0)
    start = _seconds(item.source_range.start_time) - before
    end = start + before + _seconds(item.source_range.duration) + after
    if start < 0:
        faults.append(f"{describe_item(item)}: it has no frames for the transition before it")
    trim: dict[str, Any] = {"start": _duration(start), "end": _duration(end)}
    if may_be_whole and entry is None:
        trim |= _whole(item, start, end)
    return trim


def _whole(item: Any, start: Fraction, end: Fraction) -> dict[str, str]:
    metadata = clipmill_metadata(item)
    frames = end * Fraction(item.source_range.duration.rate)
    if start or frames != metadata.get("frames"):
        return {}
    return {"whole": str(metadata.get("kind"))}


def source_of_item(item: Any, faults: list[str]) -> dict[str, Any]:
    """Return the `mediaId` of a file of the library, else the `url` of the media reference."""
    media = item.media_reference
    if not isinstance(media, otio.schema.ExternalReference):
        faults.append(f"{describe_item(item)}: its media is a {type(media).__name__}, not a file")
        return {}
    media_id = clipmill_metadata(media).get("mediaId")
    if media_id and (not media.target_url or media.target_url.startswith(MEDIA_SCHEME)):
        return {"mediaId": media_id}
    if urlsplit(media.target_url).scheme not in ("", "file", "http", "https"):
        url = repr(media.target_url[:100])
        faults.append(f"{describe_item(item)}: its media {url} is no file and no URL")
    return {"url": media.target_url}


def effect_faults(item: Any) -> list[str]:
    """Return a fault for each effect that changes an item's picture, sound or speed."""
    faults = []
    for effect in item.effects:
        name = effect.name or type(effect).__name__
        if isinstance(effect, otio.schema.TimeEffect):
            faults.append(f"{describe_item(item)}: the speed change {name!r}")
        else:
            faults.append(f"{describe_item(item)}: the effect {effect.effect_name or name!r}")
    return faults


def describe_item(item: Any) -> str:
    """Return an item's kind and name for messages."""
    kind = type(item).__name__.lower()
    return f"{kind} {item.name!r}" if item.name else f"a {kind} without a name"


def clipmill_metadata(item: Any) -> Mapping[str, Any]:
    """Return the metadata that Clipmill wrote about an item."""
    metadata = item.metadata.get(METADATA_KEY)
    return metadata if isinstance(metadata, Mapping) else {}


def _seconds(time: Any) -> Fraction:
    if not (math.isfinite(time.value) and math.isfinite(time.rate) and time.rate > 0):
        raise OtioImportError(f"a time of {time.value} at the rate {time.rate} is invalid")
    return Fraction(time.value) / Fraction(time.rate)


def _duration(seconds: Fraction) -> str:
    # Microseconds are far less than a frame.
    return re.sub(r"\.?0+s$", "s", f"{float(seconds):.6f}s")
