"""Plan the outputs of a resolved spec: timelines, segments, music, records. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from clipmill.artifacts.chapters import build_chapters, chapter_warning
from clipmill.artifacts.credit_list import credits_of
from clipmill.protocol import (
    ClipState,
    MusicMix,
    MusicPlan,
    OutputPlan,
    OutputPolicy,
    SegmentCounts,
)
from clipmill.protocol.result_record import MusicTrack, ResultRecord
from clipmill.spec import OnClipError, Output, Quality, parse_level
from clipmill.timeline.build import (
    PLACEHOLDER,
    TITLE_CARD,
    UNFETCHED,
    InvalidTimeline,
    MediaSource,
    Timeline,
    build_timelines,
)
from clipmill.timeline.music_window import plan_music_mix
from clipmill.timeline.overlay_layers import image_ids
from clipmill.timeline.presets import max_length_s
from clipmill.timeline.segments import split_into_segments
from clipmill_api.compilations.credited_spec import credited_spec
from clipmill_api.compilations.media_sources import asset_fields, media_source
from clipmill_api.compilations.plan_cache import PlanCache
from clipmill_api.compilations.plan_models import PlannedOutput, ResolvedSpec
from clipmill_api.compilations.result_contents import build_result_record
from clipmill_api.tables import ClipRow

# Segments that a render task receives at a time.
SEGMENTS_PER_TASK = 8
# Reason of a clip that is skipped because of the tier's limit.
OVER_TIER_LIMIT = "TierLimit"
_cache = PlanCache()


def plan_outputs(resolved: ResolvedSpec) -> list[PlannedOutput]:
    """Return each output with its timeline and segments. Raise InvalidTimeline."""
    return _cache.outputs(resolved, _plan_outputs)


def _plan_outputs(resolved: ResolvedSpec) -> list[PlannedOutput]:
    clips = [_clip_source(resolved, clip) for clip in resolved.clips]
    asset_ids = {**asset_fields(resolved.spec), **image_ids(resolved.spec)}
    media = resolved.media
    assets = {id_: media_source(media[id_]) for id_ in asset_ids if id_ in media}
    resolved = replace(resolved, spec=credited_spec(resolved))
    spec, policy = resolved.spec, resolved.output_policy
    timelines = build_timelines(spec, spec.outputs, clips, assets, policy)
    return [
        _plan_output(resolved, output, timeline)
        for output, timeline in zip(spec.outputs, timelines, strict=True)
    ]


def _clip_source(resolved: ResolvedSpec, clip: ClipRow) -> MediaSource | None:
    if clip.state == ClipState.WAITING:
        return UNFETCHED
    if clip.state == ClipState.READY and resolved.spec.clips[clip.position].color:
        return TITLE_CARD
    media = resolved.media.get(clip.media_id or "")
    if clip.state == ClipState.READY and media is not None:
        return media_source(media, of_source=clip.url is not None)
    if clip.reason == OVER_TIER_LIMIT:
        return None
    return PLACEHOLDER if resolved.spec.on_clip_error is OnClipError.PLACEHOLDER else None


def _excess_length(output: Output, timeline: Timeline, policy: OutputPolicy) -> str | None:
    """Return how the output is too long for its platform. Raise InvalidTimeline if refused."""
    limit_s = max_length_s(output.preset, policy.max_lengths_s)
    length_s = timeline.frames / timeline.profile.rate
    if limit_s is None or not timeline.exact or length_s <= limit_s:
        return None
    excess = (
        f"the timeline is {length_s:.2f}s long, but preset {output.preset} allows at most"
        f" {limit_s}s; shorten clips or set maxClipDuration"
    )
    if policy.refuse_too_long:
        raise InvalidTimeline(f"spec.outputs ({output.name}): {excess}")
    return excess


def _plan_output(resolved: ResolvedSpec, output: Output, timeline: Timeline) -> PlannedOutput:
    music, music_note = _plan_music(resolved, timeline)
    record = build_result_record(resolved.spec, resolved.clips, resolved.media, timeline, music)
    too_long = _excess_length(output, timeline, resolved.output_policy)
    notes = (*timeline.notes, too_long, music_note, _chapters_note(output, record))
    return PlannedOutput(
        spec=output,
        timeline=timeline,
        segments=split_into_segments(timeline),
        music=music,
        record=record,
        notes=tuple(note for note in notes if note),
        too_long=too_long,
        is_draft=resolved.spec.quality is Quality.DRAFT,
    )


def _plan_music(resolved: ResolvedSpec, timeline: Timeline) -> tuple[MusicMix | None, str | None]:
    """Return the mix, or None with a note why there is none."""
    music = resolved.spec.music
    if music is None:
        return None, None
    media = resolved.media.get(music.media_id)
    if media is None:
        raise InvalidTimeline(
            f"spec.music.mediaId: {music.media_id!r} is no longer in the media library"
        )
    loudness = parse_level(resolved.spec.audio.loudness)
    return plan_music_mix(music, timeline, media_source(media), target_lufs=loudness)


def _chapters_note(output: Output, record: ResultRecord) -> str | None:
    # YouTube reads chapters from descriptions, but not from those of Shorts.
    if output.preset != "youtube":
        return None
    return chapter_warning(build_chapters(record), record.rate)


def output_view(
    output: PlannedOutput, existing: Collection[str], *, is_waiting: bool
) -> OutputPlan:
    """Return an output as users read it. Without all clips no segment counts as reused."""
    reused = 0 if is_waiting else sum(s.key in existing for s in output.segments)
    return OutputPlan(
        name=output.spec.name,
        profile=output.timeline.profile,
        frames=output.timeline.frames,
        exact=output.timeline.exact,
        items=list(output.timeline.items),
        music=_music_view(output.record.music),
        chapters=build_chapters(output.record),
        credits=credits_of(output.record),
        notes=list(output.notes),
        too_long=output.too_long,
        segments=SegmentCounts(total=len(output.segments), reused=reused, rendered=0),
    )


def _music_view(track: MusicTrack | None) -> MusicPlan | None:
    if track is None:
        return None
    return MusicPlan(media_id=track.media_id, at=track.at, frames=track.frames)
