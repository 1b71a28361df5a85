"""Import an OpenTimelineIO document as a manifest.

Supported are one video track of clips with their trims, dissolves between them, and one track of
music that Clipmill exported. Everything else is refused by its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import opentimelineio as otio

from clipmill.otio.clip_mapping import (
    OtioImportError,
    clipmill_metadata,
    clips_of,
    describe_item,
    effect_faults,
    source_of_item,
)
from clipmill.spec import FRAME_RATES

MAX_REASONS = 20


def import_otio(text: str, *, name: str) -> dict[str, Any]:
    """Return the manifest of an OTIO document.

    Args:
        text: The document as OTIO JSON.
        name: Name of the resource.

    Raises:
        OtioImportError: The document is invalid, or a manifest cannot express it.
    """
    timeline = _read_timeline(text)
    faults: list[str] = []
    video, audio = _tracks(timeline, faults)
    clips = clips_of(video, faults) if video is not None else []
    music = _music(audio, faults)
    if not faults and not clips:
        faults.append("timeline: it has no clip")
    if faults:
        more = len(faults) - MAX_REASONS
        raise OtioImportError(*faults[:MAX_REASONS], *([f"and {more} more"] if more > 0 else []))
    spec: dict[str, Any] = {"title": timeline.name[:200]} if timeline.name else {}
    spec |= _items(clips) | ({"music": music} if music else {})
    spec["outputs"] = [_output(timeline, video)]
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": name},
        "spec": spec,
    }


def _items(clips: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the clips, and the intro and outro that Clipmill exported if they play uncut."""
    assets: dict[str, Any] = {}
    if len(clips) > 1 and clips[0].get("whole") == "intro":
        assets["intro"] = {"mediaId": clips.pop(0)["mediaId"]}
    if len(clips) > 1 and clips[-1].get("whole") == "outro":
        assets["outro"] = {"mediaId": clips.pop()["mediaId"]}
    plain = [{name: value for name, value in clip.items() if name != "whole"} for clip in clips]
    return {"clips": plain, **assets}


def _read_timeline(text: str) -> Any:
    _check_depth(text)
    try:
        document = otio.adapters.read_from_string(text, "otio_json")
    except (ValueError, KeyError, otio.exceptions.OTIOError) as error:
        raise OtioImportError(f"not an OTIO file: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(document, otio.schema.Timeline):
        kind = type(document).__name__
        raise OtioImportError(f"the file holds a {kind}; only a Timeline can be imported")
    return document


def _check_depth(text: str) -> None:
    """Refuse a depth at which OpenTimelineIO, which reads by recursion, would crash."""
    try:
        json.loads(text)
    except RecursionError:
        raise OtioImportError("not an OTIO file: nested too deeply") from None
    except ValueError:
        return  # OpenTimelineIO says what is wrong.


def _tracks(timeline: Any, faults: list[str]) -> tuple[Any, list[Any]]:
    """Return the video track, if any, and the audio tracks."""
    video: list[Any] = []
    audio: list[Any] = []
    for track in timeline.tracks:
        if not isinstance(track, otio.schema.Track):
            kind = type(track).__name__
            faults.append(f"{describe_item(track)}: not a track, but a nested {kind}")
        elif len(track):
            (audio if track.kind == otio.schema.TrackKind.Audio else video).append(track)
            faults += effect_faults(track)
    if timeline.tracks.effects:
        faults += effect_faults(timeline.tracks)
    for extra in video[1:]:
        faults.append(f"{describe_item(extra)}: a second video track; only one is supported")
    return (video[0] if video else None), audio


def _music(tracks: Sequence[Any], faults: list[str]) -> dict[str, Any] | None:
    """Return the music that Clipmill exported. Audio of the clips comes with the clips."""
    music = None
    for track in tracks:
        for item in track:
            if isinstance(item, otio.schema.Gap):
                continue
            if clipmill_metadata(item).get("kind") == "music" and music is None:
                music = source_of_item(item, faults) | _music_settings(item) | _credit(item)
            else:
                faults.append(
                    f"{describe_item(item)}: on the audio track {track.name!r}; only one track"
                    " of music that Clipmill exported is supported"
                )
    return music


def _music_settings(item: Any) -> dict[str, Any]:
    settings = clipmill_metadata(item).get("settings")
    return dict(settings) if isinstance(settings, Mapping) else {}


def _credit(item: Any) -> dict[str, Any]:
    metadata = clipmill_metadata(item)
    credit = {"title": item.name[:200]}
    credit |= {name: metadata.get(name) for name in ("artist", "license", "url")}
    return {"credit": {name: value for name, value in credit.items() if value}}


def _output(timeline: Any, video: Any) -> dict[str, Any]:
    metadata = clipmill_metadata(timeline)
    size = {name: metadata.get(name) for name in ("width", "height", "rate")}
    if not all(isinstance(value, int) for value in size.values()):
        size = {"width": 1920, "height": 1080, "rate": _frame_rate(video)}
    return {"name": "main", "preset": "custom", **size}


def _frame_rate(video: Any) -> int:
    """Return the rate of the first clip if an output may have it, else 30."""
    clip = next(item for item in video if isinstance(item, otio.schema.Clip))
    rate = round(clip.source_range.duration.rate) if clip.source_range else 30
    return rate if rate in FRAME_RATES else 30
