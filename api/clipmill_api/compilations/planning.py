"""From rows to the plan: sources, timelines, segments, seconds. Pure: no SQL, no clock."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from clipmill.artifacts.chapters import build_chapters, chapter_warning
from clipmill.artifacts.credit_list import credits_of
from clipmill.protocol import (
    ClipState,
    MediaFacts,
    MusicMix,
    MusicPlan,
    OutputPlan,
    OutputPolicy,
    Segment,
    SegmentCounts,
)
from clipmill.protocol.result_record import ResultRecord, MusicTrack
from clipmill.spec import CompilationSpec, OnClipError, Output, Quality, parse_level
from clipmill.spec import parse_duration as duration_s
from clipmill.timeline.build import PLACEHOLDER, InvalidTimeline, MediaSource, Timeline, build_timeline
from clipmill.timeline.music_window import plan_music_mix
from clipmill.timeline.overlay_layers import image_ids
from clipmill.timeline.profiles import max_length_s
from clipmill.timeline.segments import split_into_segments
from clipmill_api.compilations.result_contents import record
from clipmill_api.tables import ClipRow, MediaRow

SHARD = 8
"""Segments of one render shard: the part with index i makes segments [8i, 8i+8)."""
WAITING = MediaSource(None, "waiting", None)
"""Stands for a clip whose media is not here yet: its length is an estimate."""
OVER_TIER = "TierLimit"
"""The reason of a clip that was left out because the tier allows fewer."""


@dataclass(frozen=True, slots=True)
class Known:
    """A spec with what is known of its clips; `media` by id, clips' and assets' alike."""

    spec: CompilationSpec
    clips: Sequence[ClipRow]
    media: Mapping[str, MediaRow]
    terms: OutputPolicy

    @property
    def waits(self) -> bool:
        """Whether a clip is still to be fetched."""
        return any(clip.state == ClipState.WAITING for clip in self.clips)


class Made(NamedTuple):
    """One output: what was asked, its timeline, segments and music, what is to be said of it."""

    output: Output
    timeline: Timeline
    segments: tuple[Segment, ...]
    music: MusicMix | None
    record: ResultRecord
    notes: tuple[str, ...]
    charged: bool

    @property
    def seconds(self) -> int:
        """Render time it takes of the quota: its length, rounded up; a draft takes none."""
        if not self.charged:
            return 0
        return math.ceil(self.timeline.frames / self.timeline.profile.rate)


class Planned(NamedTuple):
    """What is known, the outputs that follow from it, and which of their segments are there.

    `existing`: None: nobody has asked yet.
    """

    known: Known
    made: Sequence[Made]
    existing: Collection[str] | None = None

    @property
    def keys(self) -> set[str]:
        """Of all the segments."""
        return {segment.key for one in self.made for segment in one.segments}


def asset_ids(spec: CompilationSpec) -> dict[str, str]:
    """Media ids of intro, outro, bumper and transition clips, with the field that names each."""
    found: dict[str, str] = {}
    if spec.transitions:
        for i, media_id in enumerate(spec.transitions.media_ids):
            found.setdefault(media_id, f"spec.transitions.mediaIds[{i}]")
    if spec.intro:
        found.setdefault(spec.intro.media_id, "spec.intro.mediaId")
    if spec.outro:
        found.setdefault(spec.outro.media_id, "spec.outro.mediaId")
    if spec.bumper:
        found.setdefault(spec.bumper.media_id, "spec.bumper.mediaId")
    return found


def media_ids(spec: CompilationSpec) -> set[str]:
    """Media ids of all that a spec plays or draws besides its clips, the music too."""
    music = [spec.music.media_id] if spec.music else []
    return {*asset_ids(spec), *image_ids(spec), *music}


def facts(row: MediaRow) -> MediaFacts | None:
    """The facts of a media row."""
    return MediaFacts.model_validate(row.facts) if row.facts else None


def source(row: MediaRow) -> MediaSource:
    """A media row as something to cut from."""
    return MediaSource(row.id, row.sha256, facts(row))


def starts_within(start: str, known: MediaFacts) -> bool:
    """Whether a trim's start lies before the end of the media."""
    return length_us(start) < known.duration_us


def length_us(duration: str) -> int:
    """A duration in microseconds."""
    return round(duration_s(duration) * 1_000_000)


def _clip_source(known: Known, clip: ClipRow) -> MediaSource | None:
    if clip.state == ClipState.WAITING:
        return WAITING
    media = known.media.get(clip.media_id or "")
    if clip.state == ClipState.READY and media is not None:
        return source(media)
    if clip.reason == OVER_TIER:
        return None
    return PLACEHOLDER if known.spec.on_clip_error is OnClipError.PLACEHOLDER else None


def outputs(known: Known) -> list[Made]:
    """Each output with timeline and segments. Raises InvalidTimeline."""
    clips = [_clip_source(known, clip) for clip in known.clips]
    ids = {**asset_ids(known.spec), **image_ids(known.spec)}
    assets = {i: source(known.media[i]) for i in ids if i in known.media}
    charged = known.spec.quality is not Quality.DRAFT
    made = []
    for output in known.spec.outputs:
        line = build_timeline(known.spec, output, clips, assets, known.terms)
        _refuse_too_long(output, line)
        music, note = _music(known, line)
        kept = record(known.spec, known.clips, known.media, line, music)
        said = (*line.notes, note, _chapters_note(output, kept))
        notes = tuple(text for text in said if text)
        made.append(Made(output, line, split_into_segments(line), music, kept, notes, charged))
    return made


def _chapters_note(output: Output, kept: ResultRecord) -> str | None:
    """Chapters in a description are YouTube's; its shorts have none."""
    return chapter_warning(build_chapters(kept), kept.rate) if output.preset == "youtube" else None


def _music(known: Known, line: Timeline) -> tuple[MusicMix | None, str | None]:
    wish = known.spec.music
    if wish is None:
        return None, None
    row = known.media.get(wish.media_id)
    if row is None:
        media = repr(wish.media_id)
        raise InvalidTimeline(f"spec.music.mediaId: the library has no media {media} any more")
    return plan_music_mix(wish, line, source(row), target_lufs=parse_level(known.spec.audio.loudness))


def _refuse_too_long(output: Output, line: Timeline) -> None:
    limit = max_length_s(output.preset)
    length = line.frames / line.profile.rate
    if limit is not None and line.exact and length > limit:
        raise InvalidTimeline(
            f"spec.outputs ({output.name}): the timeline is {length:.2f}s long, but preset"
            f" {output.preset} takes at most {limit}s; shorten clips or set maxClipDuration"
        )


def seconds(made: Sequence[Made]) -> int:
    """What all outputs together take of the quota."""
    return sum(one.seconds for one in made)


def output_plan(one: Made, existing: Collection[str], *, waiting: bool) -> OutputPlan:
    """One output as a person reads it."""
    reused = sum(segment.key in existing for segment in one.segments) if not waiting else 0
    counts = SegmentCounts(total=len(one.segments), reused=reused, rendered=0)
    return OutputPlan(
        name=one.output.name,
        profile=one.timeline.profile,
        frames=one.timeline.frames,
        exact=one.timeline.exact,
        items=list(one.timeline.items),
        music=_music_plan(one.record.music),
        chapters=build_chapters(one.record),
        credits=credits_of(one.record),
        notes=list(one.notes),
        segments=counts,
    )


def _music_plan(track: MusicTrack | None) -> MusicPlan | None:
    if track is None:
        return None
    return MusicPlan(media_id=track.media_id, at=track.at, frames=track.frames)
