"""Each shot of the arrangement with its source, its stretch in frames and what is drawn over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from clipmill.protocol import Framing, Layer, MediaFacts
from clipmill.protocol.result_record import ItemKind
from clipmill.spec import (
    CompilationSpec,
    Output,
    PreviewExtent,
    Transition,
    clip_name,
    parse_duration,
)
from clipmill.timeline.arrangement import arrange
from clipmill.timeline.overlay_layers import build_layers, hidden_overlay_notes, image_ids

UNKNOWN_LENGTH_S = 60
"""Estimate for a clip not yet fetched: Twitch's own limit for a clip, in seconds."""
PLACEHOLDER_S = 3
"""Length of a placeholder for a clip without an `end`, in seconds."""
PREVIEW_S = 4
"""What a draft of the first seconds shows of each clip."""


class InvalidTimeline(ValueError):
    """The spec and its media make no timeline; says which clip and why. Trying again is no use."""


@dataclass(frozen=True, slots=True)
class MediaSource:
    """A media file to cut from. `facts` None: length not known yet (or a placeholder)."""

    media_id: str | None
    sha256: str
    facts: MediaFacts | None


PLACEHOLDER = MediaSource(None, "", None)
"""Stands for a clip that could not be had, under onClipError Placeholder."""


@dataclass(frozen=True, slots=True)
class ResolvedItem:
    """One shot: frames of the output rate from `start` of its source on."""

    kind: ItemKind
    name: str
    source: MediaSource
    start: int
    frames: int
    exact: bool
    framing: Framing
    transition: Transition | None = None
    layers: Sequence[Layer] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Edit:
    """What is the same for all shots of one output. `images`: sha256 by media id."""

    spec: CompilationSpec
    output: Output
    rate: int
    assets: Mapping[str, MediaSource]
    images: Mapping[str, str]


def resolve_items(
    spec: CompilationSpec,
    output: Output,
    rate: int,
    clips: Sequence[MediaSource | None],
    assets: Mapping[str, MediaSource],
) -> list[ResolvedItem]:
    """Every slot of the arrangement as a shot. Raises InvalidTimeline."""
    _refuse_missing(image_ids(spec), assets)
    sources = {i: source for i, source in enumerate(clips) if source is not None}
    images = {media_id: asset.sha256 for media_id, asset in assets.items()}
    edit = _Edit(spec, output, rate, assets, images)
    return [
        _clip(edit, slot.clip, sources[slot.clip])
        if slot.kind == "clip"
        else _asset(edit, slot.kind, slot.media_id)
        for slot in arrange(spec, list(sources))
    ]


def _refuse_missing(wanted: Mapping[str, str], assets: Mapping[str, MediaSource]) -> None:
    """`wanted`: the field that names each media id. Raises InvalidTimeline."""
    for media_id, field in wanted.items():
        if media_id not in assets:
            raise InvalidTimeline(f"{field}: the library has no media {media_id!r} any more")


def _asset(edit: _Edit, kind: ItemKind, media_id: str) -> ResolvedItem:
    _refuse_missing({media_id: f"spec.{kind}"}, edit.assets)
    source = edit.assets[media_id]
    frames, exact = _whole(source, edit.rate)
    # Zoom, alignment and panes are for clips.
    return ResolvedItem(kind, media_id, source, 0, frames, exact, Framing(fit=edit.output.fit))


def _whole(source: MediaSource, rate: int) -> tuple[int, bool]:
    if source.facts is None:
        return UNKNOWN_LENGTH_S * rate, False
    return max(1, round(Fraction(source.facts.duration_us, 1_000_000) * rate)), True


def _clip(edit: _Edit, i: int, source: MediaSource) -> ResolvedItem:
    spec, rate = edit.spec, edit.rate
    clip, name = spec.clips[i], clip_name(spec, i)
    start = round(parse_duration(clip.start) * rate) if clip.start else 0
    length, exact = _whole(source, rate)
    if source == PLACEHOLDER:
        length, exact = start + PLACEHOLDER_S * rate, True
    end = _end(edit, i, start, length, known=exact and source != PLACEHOLDER)
    if end <= start:
        raise InvalidTimeline(
            f"spec.clips[{i}] ({name}): start {clip.start} is not before the end of the clip"
            f" ({length / rate:.2f}s long)"
        )
    return ResolvedItem(
        kind="clip",
        name=name,
        source=source,
        start=start,
        frames=end - start,
        exact=exact or clip.end is not None,
        framing=_framing(edit.output),
        transition=clip.transition,
        layers=build_layers(spec, clip, edit.images, frames=end - start, rate=rate),
        notes=hidden_overlay_notes(clip, name, frames=end - start, rate=rate),
    )


def _end(edit: _Edit, i: int, start: int, length: int, *, known: bool) -> int:
    """Last frame + 1: the trim's end, else the longest part allowed, never past the source."""
    spec, rate = edit.spec, edit.rate
    ends = [length] if known else []
    if spec.preview is PreviewExtent.FIRST_SECONDS:
        ends.append(start + PREVIEW_S * rate)
    if wanted := spec.clips[i].end:
        ends.append(_frames(wanted, rate))
    elif spec.max_clip_duration:
        ends.append(start + _frames(spec.max_clip_duration, rate))
    return min(ends, default=length)


def _frames(duration: str, rate: int) -> int:
    return max(1, round(parse_duration(duration) * rate))


def _framing(output: Output) -> Framing:
    panes = output.layout or []
    return Framing(fit=output.fit, zoom=output.zoom, align=output.align, panes=panes)
