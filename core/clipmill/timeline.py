"""The one timeline: (spec, what is known of the media) -> exact frames. Pure.

Estimate, quota, plan and render all call `timeline`, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from clipmill.arrangement import Kind, arrange
from clipmill.contract import (
    CompilationSpec,
    Curve,
    Cut,
    Entry,
    Fit,
    MediaFacts,
    Output,
    Profile,
    Transition,
    TransitionType,
    clip_name,
    level,
    seconds,
)
from clipmill.presets import profile

UNKNOWN_LENGTH_S = 60
"""Estimate for a clip not yet fetched: Twitch's own limit for a clip, in seconds."""
PLACEHOLDER_S = 3
"""Length of a placeholder for a clip without an `end`, in seconds."""
GAIN_LIMIT_MB = 2000
"""Largest correction of a clip's level, either way, in hundredths of a decibel."""


class InvalidTimeline(ValueError):
    """The spec and its media make no timeline; says which clip and why. Trying again is no use."""


@dataclass(frozen=True, slots=True)
class Source:
    """A media file to cut from. `facts` None: length not known yet (or a placeholder)."""

    media_id: str | None
    sha256: str
    facts: MediaFacts | None


PLACEHOLDER = Source(None, "", None)
"""Stands for a clip that could not be had, under onClipError Placeholder."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """One output in exact frames. `cuts[i]` is what `entries[i]` plays."""

    profile: Profile
    fit: Fit
    entries: tuple[Entry, ...]
    cuts: tuple[Cut, ...]
    frames: int
    exact: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Shot:
    kind: Kind
    name: str
    source: Source
    start: int
    frames: int
    exact: bool
    enters: Transition | None = None


def timeline(
    spec: CompilationSpec,
    output: Output,
    clips: Sequence[Source | None],
    assets: Mapping[str, Source],
) -> Timeline:
    """The timeline of one output. `clips[i]` None: skipped. Raises InvalidTimeline."""
    form = profile(output)
    shots = _shots(spec, form.rate, clips, assets)
    if not any(shot.kind == "clip" for shot in shots):
        raise InvalidTimeline("no clip is left to play")
    overlaps, notes = _overlaps(shots, form.rate)
    target = level(spec.audio.loudness)
    entries, at = [], 0
    for shot, overlap in zip(shots, overlaps, strict=True):
        at -= overlap
        entries.append(_entry(shot, at, overlap))
        at += shot.frames
    return Timeline(
        profile=form,
        fit=output.fit,
        entries=tuple(entries),
        cuts=tuple(_cut(shot, target) for shot in shots),
        frames=at,
        exact=all(shot.exact for shot in shots),
        notes=tuple(notes),
    )


def _shots(
    spec: CompilationSpec,
    rate: int,
    clips: Sequence[Source | None],
    assets: Mapping[str, Source],
) -> list[_Shot]:
    """Every slot of the arrangement with its source and its length."""
    sources = {i: source for i, source in enumerate(clips) if source is not None}
    return [
        _clip(spec, slot.clip, sources[slot.clip], rate)
        if slot.kind == "clip"
        else _asset(slot.kind, slot.media_id, assets, rate)
        for slot in arrange(spec, list(sources))
    ]


def _asset(kind: Kind, media_id: str, assets: Mapping[str, Source], rate: int) -> _Shot:
    source = assets[media_id]
    frames, exact = _whole(source, rate)
    return _Shot(kind, media_id, source, 0, frames, exact)


def _whole(source: Source, rate: int) -> tuple[int, bool]:
    if source.facts is None:
        return UNKNOWN_LENGTH_S * rate, False
    return max(1, round(Fraction(source.facts.duration_us, 1_000_000) * rate)), True


def _clip(spec: CompilationSpec, i: int, source: Source, rate: int) -> _Shot:
    clip, name = spec.clips[i], clip_name(spec, i)
    start = round(seconds(clip.start) * rate) if clip.start else 0
    length, exact = _whole(source, rate)
    if source == PLACEHOLDER:
        length, exact = start + PLACEHOLDER_S * rate, True
    end = _end(
        start,
        wanted=_frames(clip.end, rate),
        limit=_frames(spec.max_clip_duration, rate),
        length=length,
        known=exact and source != PLACEHOLDER,
    )
    if end <= start:
        raise InvalidTimeline(
            f"spec.clips[{i}] ({name}): start {clip.start} is not before the end of the clip"
            f" ({length / rate:.2f}s long)"
        )
    trimmed_exact = exact or clip.end is not None
    return _Shot("clip", name, source, start, end - start, trimmed_exact, clip.transition)


def _frames(duration: str | None, rate: int) -> int | None:
    return None if duration is None else max(1, round(seconds(duration) * rate))


def _end(start: int, *, wanted: int | None, limit: int | None, length: int, known: bool) -> int:
    """Last frame + 1: the trim's end, else the longest part allowed, never past the source."""
    ends = [length] if known else []
    if wanted is not None:
        ends.append(wanted)
    elif limit is not None:
        ends.append(start + limit)
    return min(ends, default=length)


def _overlaps(shots: Sequence[_Shot], rate: int) -> tuple[list[int], list[str]]:
    """Frames by which each shot overlaps the one before; at most half of either, said in a note."""
    overlaps, notes = [0], []
    for before, shot in pairwise(shots):
        wanted = _overlap(shot.enters, rate)
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
    return round(seconds(enters.duration) * rate)


def _entry(shot: _Shot, at: int, overlap: int) -> Entry:
    enters = shot.enters if overlap else None
    return Entry(
        kind=shot.kind,
        name=shot.name,
        media_id=shot.source.media_id,
        at=at,
        start=shot.start,
        frames=shot.frames,
        enters=enters.type if enters else TransitionType.NONE,
        curve=enters.curve if enters else Curve.EQUAL_POWER,
        overlap=overlap,
    )


def _cut(shot: _Shot, target_lufs: float) -> Cut:
    facts = shot.source.facts
    return Cut(
        media_id=shot.source.media_id,
        sha256=shot.source.sha256,
        format=facts.format if facts else "",
        has_audio=bool(facts and facts.audio_codec),
        width=facts.width if facts else 0,
        height=facts.height if facts else 0,
        start=shot.start,
        frames=shot.frames,
        gain_mb=_gain_mb(facts, target_lufs),
    )


def _gain_mb(facts: MediaFacts | None, target_lufs: float) -> int:
    if facts is None or facts.loudness_lufs is None:
        return 0
    wanted = round((target_lufs - facts.loudness_lufs) * 100)
    return max(-GAIN_LIMIT_MB, min(GAIN_LIMIT_MB, wanted))


def part(cut: Cut, *, offset: int, frames: int) -> Cut:
    """A stretch of a cut: `frames` from `offset` on."""
    return cut.model_copy(update={"start": cut.start + offset, "frames": frames})


__all__ = ["PLACEHOLDER", "InvalidTimeline", "Source", "Timeline", "part", "timeline"]
