"""An OpenTimelineIO file as a manifest; what cannot be carried is refused by its name.

Carried: one video track of clips with their trims, dissolves between them, one track of music.
"""

from __future__ import annotations

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
    """The manifest of an OTIO file's text. Raises CannotCarry."""
    line = _timeline(text)
    faults: list[str] = []
    video, audio = _tracks(line, faults)
    clips = clips_of(video, faults) if video is not None else []
    music = _music(audio, faults)
    if not faults and not clips:
        faults.append("timeline: it has no clip")
    if faults:
        more = len(faults) - MAX_REASONS
        raise OtioImportError(*faults[:MAX_REASONS], *([f"and {more} more"] if more > 0 else []))
    spec: dict[str, Any] = {"title": line.name[:200]} if line.name else {}
    spec |= _around(clips) | ({"music": music} if music else {})
    spec["outputs"] = [_output(line, video)]
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": name},
        "spec": spec,
    }


def _around(clips: list[dict[str, Any]]) -> dict[str, Any]:
    """The clips, and an intro and outro of ours that nobody has cut or faded."""
    found: dict[str, Any] = {}
    if len(clips) > 1 and clips[0].get("whole") == "intro":
        found["intro"] = {"mediaId": clips.pop(0)["mediaId"]}
    if len(clips) > 1 and clips[-1].get("whole") == "outro":
        found["outro"] = {"mediaId": clips.pop()["mediaId"]}
    plain = [{name: value for name, value in clip.items() if name != "whole"} for clip in clips]
    return {"clips": plain, **found}


def _timeline(text: str) -> Any:
    try:
        found = otio.adapters.read_from_string(text, "otio_json")
    except (ValueError, KeyError, otio.exceptions.OTIOError) as error:
        raise OtioImportError(f"not an OTIO file: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(found, otio.schema.Timeline):
        kind = type(found).__name__
        raise OtioImportError(f"the file holds a {kind}; only a Timeline can be carried")
    return found


# --- tracks -----------------------------------------------------------------------------------


def _tracks(line: Any, faults: list[str]) -> tuple[Any, list[Any]]:
    """The one video track, and those of sound."""
    video: list[Any] = []
    audio: list[Any] = []
    for track in line.tracks:
        if not isinstance(track, otio.schema.Track):
            faults.append(
                f"{describe_item(track)}: not a track, but a nested {type(track).__name__}"
            )
        elif len(track):
            (audio if track.kind == otio.schema.TrackKind.Audio else video).append(track)
            faults += effect_faults(track)
    if line.tracks.effects:
        faults += effect_faults(line.tracks)
    for extra in video[1:]:
        faults.append(f"{describe_item(extra)}: a second video track; only one can be carried")
    return (video[0] if video else None), audio


# --- music and the output -----------------------------------------------------------------------


def _music(tracks: Sequence[Any], faults: list[str]) -> dict[str, Any] | None:
    """Our own track of music; sound that belongs to the clips comes with them."""
    found = None
    for track in tracks:
        for item in track:
            if isinstance(item, otio.schema.Gap):
                continue
            if clipmill_metadata(item).get("kind") == "music" and found is None:
                found = source_of_item(item, faults) | _wish(item) | _credit(item)
            else:
                faults.append(
                    f"{describe_item(item)}: on the audio track {track.name!r}; only one track"
                    " of music that Clipmill exported can be carried"
                )
    return found


def _wish(item: Any) -> dict[str, Any]:
    wish = clipmill_metadata(item).get("wish")
    return dict(wish) if isinstance(wish, Mapping) else {}


def _credit(item: Any) -> dict[str, Any]:
    ours = clipmill_metadata(item)
    credit = {"title": item.name[:200], **{k: ours.get(k) for k in ("artist", "license", "url")}}
    return {"credit": {name: value for name, value in credit.items() if value}}


def _output(line: Any, video: Any) -> dict[str, Any]:
    ours = clipmill_metadata(line)
    form = {name: ours.get(name) for name in ("width", "height", "rate")}
    if all(isinstance(value, int) for value in form.values()):
        return {"name": "main", "preset": "custom", **form}
    first = next(item for item in video if isinstance(item, otio.schema.Clip))
    rate = round(first.source_range.duration.rate) if first.source_range else 30
    known = rate if rate in FRAME_RATES else 30
    return {"name": "main", "preset": "custom", "width": 1920, "height": 1080, "rate": known}
