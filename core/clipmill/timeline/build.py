"""Build the timeline of an output in exact frames.

Estimate, quota, plan and render all call `build_timeline`, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from clipmill.protocol import (
    Layer,
    MediaFacts,
    OutputPolicy,
    PictureTraits,
    Profile,
    SourceRange,
    TimelineItem,
)
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
from clipmill.timeline.item_sound import PlayedPart, item_sound
from clipmill.timeline.overlay_layers import layers_of_subrange
from clipmill.timeline.profiles import build_profile, limit_size
from clipmill.timeline.resolved_items import (
    PLACEHOLDER,
    TITLE_CARD,
    InvalidTimeline,
    MediaSource,
    ResolvedItem,
    resolve_items,
)
from clipmill.timeline.source_color import source_color
from clipmill.timeline.source_traits import source_traits


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


def build_timeline(
    spec: CompilationSpec,
    output: Output,
    clips: Sequence[MediaSource | None],
    assets: Mapping[str, MediaSource],
    policy: OutputPolicy | None = None,
) -> Timeline:
    """Return the timeline of one output.

    Args:
        spec: The spec.
        output: The output, one of the spec's.
        clips: The source of each clip of the spec, or None for a skipped clip.
        assets: Sources of intro, outro, bumper, transition clips and images by media id.
        policy: Limits of the owner's tier and of the installation.

    Raises:
        InvalidTimeline: No clip is left, an asset is missing, a clip has no frames, or the size
            limit is too small.
    """
    policy = policy or OutputPolicy()
    profile = build_profile(output, policy=policy, quality=spec.quality)
    resolved = resolve_items(spec, output, profile.rate, clips, assets)
    if not any(item.kind == "clip" for item in resolved):
        raise InvalidTimeline("no clip is left to play")
    overlaps, overlap_notes = _overlaps(resolved, profile.rate)
    items, frames = _positioned(resolved, overlaps)
    bitrates = _bitrates(output, profile, frames)
    target_lufs = parse_level(spec.audio.loudness)
    return Timeline(
        profile=profile if output.max_bytes is None else limit_bitrate(profile, bitrates.video),
        items=items,
        sources=tuple(_source_range(item, profile.rate, target_lufs) for item in resolved),
        frames=frames,
        exact=all(item.exact for item in resolved),
        notes=(
            *_policy_notes(output, policy),
            *overlap_notes,
            *glyph_notes(spec),
            *(note for item in resolved for note in item.notes),
        ),
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


def _demuxer(item: ResolvedItem) -> str:
    # The job converts every still image to PNG.
    if item.still:
        return "" if item.still.color else "png_pipe"
    return item.source.facts.format if item.source.facts else ""


def _source_range(item: ResolvedItem, rate: int, target_lufs: float) -> SourceRange:
    facts = item.source.facts
    part = PlayedPart(Fraction(item.start, rate), Fraction(item.start + item.frames, rate))
    sound = item_sound(facts, item.audio, part, target_lufs=target_lufs)
    return SourceRange(
        media_id=item.source.media_id,
        sha256=item.source.sha256,
        format=_demuxer(item),
        still=item.still,
        has_audio=sound.is_audible,
        audio_stream=sound.stream,
        right_stream=sound.right_stream,
        audio_changes_form=sound.changes_form,
        video_stream=facts.video_stream if facts and not item.still else None,
        traits=source_traits(facts) if facts and not item.still else PictureTraits(),
        held_from=_held_from(facts, rate) if facts else None,
        start_us=sound.start_us,
        width=facts.width if facts else 0,
        height=facts.height if facts else 0,
        color=source_color(facts) if facts and not item.still else None,
        start=item.start,
        frames=item.frames,
        gain_mb=sound.gain_mb,
        framing=item.framing,
        layers=list(item.layers),
    )


def _held_from(facts: MediaFacts, rate: int) -> int | None:
    return None if facts.pictures_us is None else facts.pictures_us * rate // 1_000_000


def subrange(source: SourceRange, *, offset: int, frames: int) -> SourceRange:
    """Return `frames` frames of a source range from `offset` on."""
    return source.model_copy(
        update={
            "start": source.start + offset,
            "frames": frames,
            "layers": layers_of_subrange(source, offset=offset, frames=frames),
        }
    )


__all__ = [
    "PLACEHOLDER",
    "TITLE_CARD",
    "InvalidTimeline",
    "MediaSource",
    "Timeline",
    "build_timeline",
    "subrange",
]
