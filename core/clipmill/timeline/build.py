"""The one timeline: (spec, what is known of the media) -> exact frames. Pure.

Estimate, quota, plan and render all call `timeline`, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from clipmill.protocol import Layer, MediaFacts, OutputPolicy, Profile, SourceRange, TimelineItem
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
    TooFewBytes,
    choose_bitrates,
    limit_bitrate,
)
from clipmill.timeline.overlay_layers import layers_of_subrange
from clipmill.timeline.profiles import build_profile, limit_size
from clipmill.timeline.resolved_items import (
    PLACEHOLDER,
    InvalidTimeline,
    MediaSource,
    ResolvedItem,
    resolve_items,
)

GAIN_LIMIT_MB = 2000
"""Largest correction of a clip's level, either way, in hundredths of a decibel."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """One output in exact frames. `cuts[i]` is what `entries[i]` plays."""

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
    terms: OutputPolicy | None = None,
) -> Timeline:
    """The timeline of one output. `clips[i]` None: skipped. Raises InvalidTimeline."""
    terms = terms or OutputPolicy()
    form = build_profile(output, terms=terms, quality=spec.quality)
    played = resolve_items(spec, output, form.rate, clips, assets)
    if not any(shot.kind == "clip" for shot in played):
        raise InvalidTimeline("no clip is left to play")
    overlaps, notes = _overlaps(played, form.rate)
    target = parse_level(spec.audio.loudness)
    entries, at = [], 0
    for shot, overlap in zip(played, overlaps, strict=True):
        at -= overlap
        entries.append(_entry(shot, at, overlap))
        at += shot.frames
    video, audio = _rates(output, form, at)
    return Timeline(
        profile=form if output.max_bytes is None else limit_bitrate(form, video),
        items=tuple(entries),
        sources=tuple(_cut(shot, target) for shot in played),
        frames=at,
        exact=all(shot.exact for shot in played),
        notes=(*_limits(output, terms), *notes, *(note for shot in played for note in shot.notes)),
        watermark=terms.watermark,
        audio_bitrate=audio,
    )


def _rates(output: Output, form: Profile, frames: int) -> Bitrates:
    try:
        return choose_bitrates(form, frames=frames, max_bytes=output.max_bytes)
    except TooFewBytes as error:
        raise InvalidTimeline(f"spec.outputs ({output.name}): {error}") from None


def _limits(output: Output, terms: OutputPolicy) -> list[str]:
    """What the tier takes from an output."""
    wanted, limits = build_profile(output), []
    if (size := limit_size(wanted.width, wanted.height, terms.max_resolution)) != wanted.size:
        limits.append(f"size {wanted.width}x{wanted.height} limited to {size[0]}x{size[1]}")
    if terms.max_fps and terms.max_fps < wanted.rate:
        limits.append(f"rate {wanted.rate} limited to at most {terms.max_fps}")
    return [f"{output.name}: {limit} by the tier {terms.tier}" for limit in limits]


def _overlaps(played: Sequence[ResolvedItem], rate: int) -> tuple[list[int], list[str]]:
    """Frames by which each shot overlaps the one before; at most half of either, said in a note."""
    overlaps, notes = [0], []
    for before, shot in pairwise(played):
        wanted = _overlap(shot.transition, rate)
        room = min(before.frames // 2, shot.frames // 2)
        overlaps.append(min(wanted, room))
        if wanted > room:
            notes.append(
                f"transition into {shot.name} shortened from {wanted} to {room} frames:"
                f" {before.name} and {shot.name} are {before.frames} and {shot.frames} frames long"
            )
    return overlaps, notes


def _overlap(enters: Transition | None, rate: int) -> int:
    if enters is None or enters.type is TransitionType.NONE:
        return 0
    return round(parse_duration(enters.duration) * rate)


def _entry(shot: ResolvedItem, at: int, overlap: int) -> TimelineItem:
    enters = shot.transition if overlap else None
    return TimelineItem(
        kind=shot.kind,
        name=shot.name,
        media_id=shot.source.media_id,
        at=at,
        start=shot.start,
        frames=shot.frames,
        transition=enters.type if enters else TransitionType.NONE,
        curve=enters.curve if enters else Curve.EQUAL_POWER,
        overlap=overlap,
    )


def _cut(shot: ResolvedItem, target_lufs: float) -> SourceRange:
    facts = shot.source.facts
    return SourceRange(
        media_id=shot.source.media_id,
        sha256=shot.source.sha256,
        format=facts.format if facts else "",
        has_audio=bool(facts and facts.audio_codec),
        width=facts.width if facts else 0,
        height=facts.height if facts else 0,
        start=shot.start,
        frames=shot.frames,
        gain_mb=gain_mb(facts, target_lufs),
        framing=shot.framing,
        layers=list(shot.layers),
    )


def gain_mb(facts: MediaFacts | None, target_lufs: float) -> int:
    """Gain that brings a file to the target, in hundredths of a decibel; silence stays."""
    if facts is None or facts.loudness_lufs is None:
        return 0
    wanted = round((target_lufs - facts.loudness_lufs) * 100)
    return max(-GAIN_LIMIT_MB, min(GAIN_LIMIT_MB, wanted))


def subrange(cut: SourceRange, *, offset: int, frames: int) -> SourceRange:
    """A stretch of a cut: `frames` from `offset` on."""
    over = layers_of_subrange(cut, offset=offset, frames=frames)
    return cut.model_copy(update={"start": cut.start + offset, "frames": frames, "layers": over})


__all__ = [
    "PLACEHOLDER",
    "InvalidTimeline",
    "MediaSource",
    "Timeline",
    "gain_mb",
    "subrange",
    "build_timeline",
]
