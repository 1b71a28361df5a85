"""Build the timeline of an output in exact frames.

Estimate, quota, plan and render all call `build_timelines`, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from clipmill.protocol import Layer, OutputPolicy, Profile, SourceRange, TimelineItem
from clipmill.spec import (
    CompilationSpec,
    Curve,
    Output,
    Transition,
    TransitionType,
    parse_duration,
    parse_level,
)
from clipmill.timeline.bitrates import (
    AUDIO_BITRATE,
    Bitrates,
    SizeLimitTooSmall,
    choose_bitrates,
    limit_bitrate,
)
from clipmill.timeline.glyph_notes import glyph_notes
from clipmill.timeline.profiles import build_profile, limit_size
from clipmill.timeline.resolved_items import (
    PLACEHOLDER,
    TITLE_CARD,
    UNFETCHED,
    InvalidTimeline,
    MediaSource,
    ResolvedItem,
    resolve_items,
)
from clipmill.timeline.source_ranges import framed_ranges, source_range, subrange


@dataclass(frozen=True, slots=True)
class Timeline:
    """One output in exact frames. `items[i]` plays `sources[i]`."""

    profile: Profile
    items: tuple[TimelineItem, ...]
    sources: tuple[SourceRange, ...]
    frames: int
    exact: bool
    notes: tuple[str, ...]
    watermark: Layer | None = None
    audio_bitrate: int = AUDIO_BITRATE


@dataclass(frozen=True, slots=True)
class _SharedItems:
    """What all outputs of one rate share."""

    resolved: Sequence[ResolvedItem]
    items: tuple[TimelineItem, ...]
    sources: tuple[SourceRange, ...]
    frames: int
    notes: tuple[str, ...]


def build_timeline(
    spec: CompilationSpec,
    output: Output,
    clips: Sequence[MediaSource | None],
    assets: Mapping[str, MediaSource],
    policy: OutputPolicy | None = None,
) -> Timeline:
    """Return the timeline of one output, as `build_timelines` does."""
    (timeline,) = build_timelines(spec, [output], clips, assets, policy)
    return timeline


def build_timelines(
    spec: CompilationSpec,
    outputs: Sequence[Output],
    clips: Sequence[MediaSource | None],
    assets: Mapping[str, MediaSource],
    policy: OutputPolicy | None = None,
) -> list[Timeline]:
    """Return the timelines of outputs. Those of equal rate share what does not differ.

    Args:
        spec: The spec.
        outputs: The outputs, of the spec's.
        clips: The source of each clip of the spec, or None for a skipped clip.
        assets: Sources of intro, outro, bumper, transition clips and images by media id.
        policy: Limits of the owner's tier and of the installation.

    Raises:
        InvalidTimeline: No clip is left, an asset is missing, a clip has no frames, or the size
            limit is too small.
    """
    policy = policy or OutputPolicy()
    by_rate: dict[int, _SharedItems] = {}
    timelines = []
    for output in outputs:
        profile = build_profile(output, policy=policy, quality=spec.quality)
        if profile.rate not in by_rate:
            by_rate[profile.rate] = _shared_items(spec, profile.rate, clips, assets)
        timelines.append(_timeline(output, profile, by_rate[profile.rate], policy))
    return timelines


def _shared_items(
    spec: CompilationSpec,
    rate: int,
    clips: Sequence[MediaSource | None],
    assets: Mapping[str, MediaSource],
) -> _SharedItems:
    resolved = resolve_items(spec, rate, clips, assets)
    if not any(item.kind == "clip" for item in resolved):
        raise InvalidTimeline("no clip is left to play")
    overlaps, overlap_notes = _overlaps(resolved, rate)
    items, frames = _positioned(resolved, overlaps)
    target_lufs = parse_level(spec.audio.loudness)
    item_notes = [note for item in resolved for note in item.notes]
    return _SharedItems(
        resolved=resolved,
        items=items,
        sources=tuple(source_range(item, rate, target_lufs) for item in resolved),
        frames=frames,
        notes=(*overlap_notes, *glyph_notes(spec), *item_notes),
    )


def _timeline(
    output: Output, profile: Profile, shared: _SharedItems, policy: OutputPolicy
) -> Timeline:
    bitrates = _bitrates(output, profile, shared.frames)
    return Timeline(
        profile=profile if output.max_bytes is None else limit_bitrate(profile, bitrates.video),
        items=shared.items,
        sources=framed_ranges(shared.resolved, shared.sources, output),
        frames=shared.frames,
        exact=all(item.exact for item in shared.resolved),
        notes=(*_policy_notes(output, policy), *shared.notes),
        watermark=policy.watermark,
        audio_bitrate=bitrates.audio,
    )


def _bitrates(output: Output, profile: Profile, frames: int) -> Bitrates:
    try:
        return choose_bitrates(profile, frames=frames, max_bytes=output.max_bytes)
    except SizeLimitTooSmall as error:
        raise InvalidTimeline(f"spec.outputs ({output.name}): {error}") from None


def _policy_notes(output: Output, policy: OutputPolicy) -> list[str]:
    unlimited, limits = build_profile(output), []
    size = limit_size(unlimited.width, unlimited.height, policy.max_resolution)
    if size != unlimited.size:
        limits.append(f"size {unlimited.width}x{unlimited.height} limited to {size[0]}x{size[1]}")
    if policy.max_fps and policy.max_fps < unlimited.rate:
        limits.append(f"rate {unlimited.rate} limited to at most {policy.max_fps}")
    return [f"{output.name}: {limit} by the tier {policy.tier}" for limit in limits]


def _overlaps(items: Sequence[ResolvedItem], rate: int) -> tuple[list[int], list[str]]:
    """Return each item's overlap with the previous one in frames, and notes on shortened ones.

    An overlap takes at most half of either item.
    """
    overlaps, notes = [0], []
    for previous, item in pairwise(items):
        desired = _overlap_frames(item.transition, rate)
        possible = min(previous.frames // 2, item.frames // 2)
        overlaps.append(min(desired, possible))
        if desired > possible:
            notes.append(
                f"transition into {item.name} shortened from {desired} to {possible} frames:"
                f" {previous.name} and {item.name} are {previous.frames} and {item.frames}"
                " frames long"
            )
    return overlaps, notes


def _overlap_frames(transition: Transition | None, rate: int) -> int:
    if transition is None or transition.type is TransitionType.NONE:
        return 0
    return round(parse_duration(transition.duration) * rate)


def _positioned(
    resolved: Sequence[ResolvedItem], overlaps: Sequence[int]
) -> tuple[tuple[TimelineItem, ...], int]:
    """Return the timeline items and the length of the output in frames."""
    items, end = [], 0
    for item, overlap in zip(resolved, overlaps, strict=True):
        items.append(_timeline_item(item, end - overlap, overlap))
        end += item.frames - overlap
    return tuple(items), end


def _timeline_item(item: ResolvedItem, at: int, overlap: int) -> TimelineItem:
    transition = item.transition if overlap else None
    return TimelineItem(
        kind=item.kind,
        name=item.name,
        media_id=item.source.media_id,
        at=at,
        start=item.start,
        frames=item.frames,
        transition=transition.type if transition else TransitionType.NONE,
        curve=transition.curve if transition else Curve.EQUAL_POWER,
        overlap=overlap,
    )


__all__ = [
    "PLACEHOLDER",
    "TITLE_CARD",
    "UNFETCHED",
    "InvalidTimeline",
    "MediaSource",
    "Timeline",
    "build_timeline",
    "build_timelines",
    "subrange",
]
