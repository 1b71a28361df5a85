"""Resolve each item of the arrangement to its source, its range in frames and its layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from clipmill.protocol import Layer, MediaFacts, StillPicture
from clipmill.protocol.result_record import ItemKind
from clipmill.spec import (
    Clip,
    ClipAudio,
    CompilationSpec,
    PreviewExtent,
    Transition,
    clip_name,
    parse_duration,
)
from clipmill.spec.played_part import PREVIEW_S
from clipmill.timeline.arrangement import arrange
from clipmill.timeline.item_sound import DEFAULT_AUDIO, track_notes
from clipmill.timeline.overlay_layers import build_layers, hidden_overlay_notes, image_ids

# Estimated length of a clip that has not been fetched: the longest clip that Twitch allows.
UNKNOWN_LENGTH_S = 60
# Length of a placeholder for a clip without an `end`.
PLACEHOLDER_S = 3
# Length of a still image or a title card without a duration.
STILL_S = 4


class InvalidTimeline(ValueError):
    """The spec and its media give no timeline. The message names the clip; a retry is useless."""


@dataclass(frozen=True, slots=True)
class MediaSource:
    """A media file. `facts` is None while its length is unknown, and for a placeholder."""

    media_id: str | None
    sha256: str
    facts: MediaFacts | None


# Replaces a clip that could not be fetched, with onClipError Placeholder.
PLACEHOLDER = MediaSource(None, "", None)

# Stands for a clip that is not fetched yet: its length is an estimate.
UNFETCHED = MediaSource(None, "waiting", None)

# The source of a clip that is a color.
TITLE_CARD = MediaSource(None, "", None)


@dataclass(frozen=True, slots=True)
class ResolvedItem:
    """An item with its source; `start` and `frames` are in frames of the output rate.

    `clip` is absent for an asset.
    """

    kind: ItemKind
    name: str
    source: MediaSource
    start: int
    frames: int
    exact: bool
    clip: Clip | None = None
    audio: ClipAudio = DEFAULT_AUDIO
    still: StillPicture | None = None
    transition: Transition | None = None
    layers: Sequence[Layer] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Edit:
    """What all items of one rate share. `images` holds hashes by media id."""

    spec: CompilationSpec
    rate: int
    assets: Mapping[str, MediaSource]
    images: Mapping[str, str]


def resolve_items(
    spec: CompilationSpec,
    rate: int,
    clips: Sequence[MediaSource | None],
    assets: Mapping[str, MediaSource],
) -> list[ResolvedItem]:
    """Return the items of the arrangement with their sources.

    Args:
        spec: The spec.
        rate: Frames per second of the output.
        clips: The source of each clip of the spec, or None for a skipped clip.
        assets: Sources of intro, outro, bumper, transition clips and images by media id.

    Raises:
        InvalidTimeline: An asset is missing, or a clip has no frames.
    """
    _refuse_missing(image_ids(spec), assets)
    sources = {i: source for i, source in enumerate(clips) if source is not None}
    images = {media_id: asset.sha256 for media_id, asset in assets.items()}
    edit = _Edit(spec, rate, assets, images)
    return [
        _resolve_clip(edit, item.clip, sources[item.clip])
        if item.kind == "clip"
        else _resolve_asset(edit, item.kind, item.media_id)
        for item in arrange(spec, list(sources))
    ]


def _refuse_missing(fields: Mapping[str, str], assets: Mapping[str, MediaSource]) -> None:
    """Raise InvalidTimeline if a media id is missing; `fields` holds the field of each id."""
    for media_id, field in fields.items():
        if media_id not in assets:
            raise InvalidTimeline(f"{field}: the library has no media {media_id!r} any more")


def _resolve_asset(edit: _Edit, kind: ItemKind, media_id: str) -> ResolvedItem:
    _refuse_missing({media_id: f"spec.{kind}"}, edit.assets)
    source = edit.assets[media_id]
    frames, exact = _source_frames(source, edit.rate)
    return ResolvedItem(kind, media_id, source, 0, frames, exact)


def _source_frames(source: MediaSource, rate: int) -> tuple[int, bool]:
    """Return the length of a source in frames, and whether it is exact."""
    if source.facts is None:
        return UNKNOWN_LENGTH_S * rate, False
    return max(1, round(Fraction(source.facts.source_us, 1_000_000) * rate)), True


def _resolve_clip(edit: _Edit, i: int, source: MediaSource) -> ResolvedItem:
    spec, rate = edit.spec, edit.rate
    clip, name = spec.clips[i], clip_name(spec, i)
    if clip.color or (source.facts and source.facts.is_image):
        return _resolve_still(edit, i, source)
    start, end, exact = _trim(edit, i, source)
    return ResolvedItem(
        kind="clip",
        name=name,
        source=source,
        start=start,
        frames=end - start,
        exact=exact or (clip.end or clip.duration) is not None,
        clip=clip,
        audio=clip.audio,
        transition=clip.transition,
        layers=build_layers(spec, clip, edit.images, frames=end - start, rate=rate),
        notes=(
            *track_notes(source.facts, clip.audio, name),
            *_zoom_notes(clip, name),
            *hidden_overlay_notes(clip, name, frames=end - start, rate=rate),
        ),
    )


def _trim(edit: _Edit, i: int, source: MediaSource) -> tuple[int, int, bool]:
    """Return first frame, one past the last frame, and whether the length is exact.

    A range shorter than a frame is the frame that is on screen at its start.
    """
    clip, rate = edit.spec.clips[i], edit.rate
    start = round(parse_duration(clip.start) * rate) if clip.start else 0
    length, exact = _source_frames(source, rate)
    if source == PLACEHOLDER:
        length, exact = start + PLACEHOLDER_S * rate, True
    elif source.facts is None:
        length = length if start < length else start + length
    else:
        _refuse_late_start(edit, i, source.facts)
        start = min(start, length - 1)
    end = _end_frame(edit, i, start, length, is_known=exact and source != PLACEHOLDER)
    return start, max(end, start + 1), exact


def _refuse_late_start(edit: _Edit, i: int, facts: MediaFacts) -> None:
    clip = edit.spec.clips[i]
    duration_s = Fraction(facts.source_us, 1_000_000)
    if clip.start and parse_duration(clip.start) >= duration_s:
        raise InvalidTimeline(
            f"spec.clips[{i}] ({clip_name(edit.spec, i)}): start {clip.start} is not before the"
            f" end of the clip ({float(duration_s):.2f}s long)"
        )


def _zoom_notes(clip: Clip, name: str) -> Sequence[str]:
    return (f"{name}: slowZoom applies to still images only",) if clip.slow_zoom else ()


def _resolve_still(edit: _Edit, i: int, source: MediaSource) -> ResolvedItem:
    """Return the item of a still image or of a title card."""
    spec, rate = edit.spec, edit.rate
    clip, name = spec.clips[i], clip_name(spec, i)
    frames = _still_frames(edit, clip)
    zoom = 0 if clip.color else clip.slow_zoom
    trim_notes = [f"{name}: start and end do not apply to a still image; set duration"]
    return ResolvedItem(
        kind="clip",
        name=name,
        source=source,
        start=0,
        frames=frames,
        exact=True,
        clip=clip,
        still=StillPicture(color=clip.color, zoom=zoom, frames=frames if zoom else 0),
        transition=clip.transition,
        layers=build_layers(spec, clip, edit.images, frames=frames, rate=rate),
        notes=(
            *(trim_notes if clip.start or clip.end else ()),
            *(_zoom_notes(clip, name) if clip.color else ()),
            *hidden_overlay_notes(clip, name, frames=frames, rate=rate),
        ),
    )


def _still_frames(edit: _Edit, clip: Clip) -> int:
    frames = _duration_frames(clip.duration or f"{STILL_S}s", edit.rate)
    if clip.duration is None and edit.spec.max_clip_duration:
        frames = min(frames, _duration_frames(edit.spec.max_clip_duration, edit.rate))
    if edit.spec.preview is PreviewExtent.FIRST_SECONDS:
        frames = min(frames, PREVIEW_S * edit.rate)
    return frames


def _end_frame(edit: _Edit, i: int, start: int, length: int, *, is_known: bool) -> int:
    """Return one past the clip's last frame: its end or longest part, never past the source."""
    spec, rate = edit.spec, edit.rate
    ends = [length] if is_known else []
    if spec.preview is PreviewExtent.FIRST_SECONDS:
        ends.append(start + PREVIEW_S * rate)
    clip = spec.clips[i]
    if clip.end:
        ends.append(_duration_frames(clip.end, rate))
    elif clip.duration:
        ends.append(start + _duration_frames(clip.duration, rate))
    elif spec.max_clip_duration:
        ends.append(start + _duration_frames(spec.max_clip_duration, rate))
    return min(ends, default=length)


@lru_cache(maxsize=4096)
def _duration_frames(duration: str, rate: int) -> int:
    return max(1, round(parse_duration(duration) * rate))
