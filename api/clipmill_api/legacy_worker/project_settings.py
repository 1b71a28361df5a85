"""From a generation's spec and plan to the settings of E8 and E14."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clipmill.artifacts.credit_list import credits_of
from clipmill.protocol import Profile, TimelineItem
from clipmill.spec import (
    CompilationSpec,
    Output,
    Overlay,
    parse_duration,
    parse_level,
)
from clipmill.spec.soundtrack import Ducking, Music, MusicEnd, MusicStart
from clipmill.timeline.build import InvalidTimeline
from clipmill.timeline.profiles import build_profile
from clipmill_api.compilations import output_planning
from clipmill_api.compilations.plan_models import PlannedOutput, ResolvedSpec
from clipmill_api.legacy_worker.project_models import (
    BumperSettings,
    CreatorCardSettings,
    MusicRange,
    ProjectItem,
    ProjectMusic,
    ProjectOutput,
    ProjectOverlay,
    ProjectSettings,
    ProjectWatermark,
    TransitionClipSettings,
)
from clipmill_api.tables import CompilationRow


def project_settings(compilation: CompilationRow, resolved: ResolvedSpec) -> ProjectSettings:
    """Return a project as it is rendered, within the limits of its output policy."""
    spec = resolved.spec
    outputs = _outputs(resolved)
    first, ducking = outputs[0], spec.music.duck if spec.music else Ducking()
    return ProjectSettings(
        id=compilation.id,
        user_id=compilation.owner,
        username=compilation.owner,
        name=compilation.name,
        title=spec.title,
        quality=spec.quality,
        max_clip_duration=optional_s(spec.max_clip_duration),
        output_resolution=first.output_resolution,
        output_format=first.output_format,
        fps=first.fps,
        fit=first.fit,
        vertical_zoom=first.vertical_zoom,
        vertical_align=first.vertical_align,
        audio_norm_db=parse_level(spec.audio.loudness),
        loudness_lufs=parse_level(spec.audio.loudness),
        true_peak_dbtp=parse_level(spec.audio.true_peak),
        duck_threshold=round(10 ** (parse_level(ducking.threshold) / 20), 4),
        duck_ratio=ducking.ratio,
        duck_attack=_milliseconds(ducking.attack),
        duck_release=_milliseconds(ducking.release),
        intro_media_id=spec.intro.media_id if spec.intro else None,
        outro_media_id=spec.outro.media_id if spec.outro else None,
        transition_media_ids=spec.transitions.media_ids if spec.transitions else [],
        transitions=_transition_clips(spec),
        bumper=_bumper(spec),
        music=_music(spec.music) if spec.music else None,
        overlays=overlays(spec.overlays),
        creator_card=_creator_card(spec),
        watermark=watermark(resolved),
        outputs=outputs,
    )


def optional_s(duration: str | None) -> float | None:
    """Return a duration of a spec in seconds."""
    return float(parse_duration(duration)) if duration else None


def overlays(specs: Sequence[Overlay]) -> list[ProjectOverlay]:
    """Return the overlays of a spec or of a clip."""
    return [
        ProjectOverlay(
            text=overlay.text,
            media_file_id=overlay.media_id,
            position=_kebab(overlay.position),
            size_percent=overlay.size,
            margin_percent=overlay.margin,
            opacity=overlay.opacity / 100,
            color=overlay.color,
            box_opacity=overlay.box / 100,
            start_time=float(parse_duration(overlay.start)),
            end_time=optional_s(overlay.end),
            fade=float(parse_duration(overlay.fade)),
        )
        for overlay in specs
    ]


def watermark(resolved: ResolvedSpec) -> ProjectWatermark | None:
    """Return the watermark of the output policy."""
    layer = resolved.output_policy.watermark
    if layer is None or layer.image is None:
        return None
    return ProjectWatermark(
        sha256=layer.image.sha256,
        position=_kebab(layer.position),
        opacity=layer.opacity / 100,
        size_percent=layer.size,
        margin_percent=layer.margin,
    )


def _outputs(resolved: ResolvedSpec) -> list[ProjectOutput]:
    spec = resolved.spec
    try:
        return [_planned(output) for output in output_planning.plan_outputs(resolved)]
    except InvalidTimeline as error:
        return [
            _output(
                output, build_profile(output, policy=resolved.output_policy, quality=spec.quality)
            ).model_copy(update={"notes": [str(error)]})
            for output in spec.outputs
        ]


def _planned(planned: PlannedOutput) -> ProjectOutput:
    timeline = planned.timeline
    music = planned.record.music
    return _output(planned.spec, timeline.profile).model_copy(
        update={
            "frames": timeline.frames,
            "duration": timeline.frames / timeline.profile.rate,
            "is_exact": timeline.exact,
            "timeline": [_item(item) for item in timeline.items],
            "music": MusicRange(first_frame=music.at, frames=music.frames) if music else None,
            "credits": credits_of(planned.record),
            "notes": list(planned.notes),
        }
    )


def _output(output: Output, profile: Profile) -> ProjectOutput:
    """Return an output without its timeline."""
    return ProjectOutput(
        name=output.name,
        preset=output.preset,
        output_resolution=f"{profile.width}x{profile.height}",
        width=profile.width,
        height=profile.height,
        fps=profile.rate,
        output_format=profile.container,
        video_encoder=profile.encoder,
        max_bitrate=profile.max_bitrate,
        max_file_size=output.max_bytes,
        fit=output.fit,
        vertical_zoom=output.zoom,
        vertical_align=_kebab(output.align),
        layout=output.layout or [],
        frames=None,
        duration=None,
        is_exact=False,
        timeline=[],
        music=None,
        credits=[],
        notes=[],
    )


def _item(item: TimelineItem) -> ProjectItem:
    return ProjectItem(
        kind=item.kind,
        name=item.name,
        media_file_id=item.media_id,
        first_frame=item.at,
        source_first_frame=item.start,
        frames=item.frames,
        transition=item.transition,
        transition_frames=item.overlap,
    )


def _music(music: Music) -> ProjectMusic:
    return ProjectMusic(
        media_file_id=music.media_id,
        gain_db=parse_level(music.gain),
        loop=music.loop,
        start_mode="start" if music.starts is MusicStart.START else "after_intro",
        end_mode="end" if music.until is MusicEnd.END else "before_outro",
        fade_out=float(parse_duration(music.fade_out)),
        duck_depth_db=parse_level(music.duck.depth) if music.duck.depth else None,
    )


def _transition_clips(spec: CompilationSpec) -> TransitionClipSettings | None:
    clips = spec.transitions
    if clips is None:
        return None
    return TransitionClipSettings(
        media_file_ids=clips.media_ids,
        order=clips.order,
        seed=clips.seed,
        placement=clips.placement,
    )


def _bumper(spec: CompilationSpec) -> BumperSettings | None:
    if spec.bumper is None:
        return None
    return BumperSettings(media_file_id=spec.bumper.media_id, placement=spec.bumper.placement)


def _creator_card(spec: CompilationSpec) -> CreatorCardSettings:
    card = spec.creator_card
    return CreatorCardSettings(
        show=card.show,
        start_time=float(parse_duration(card.start)),
        duration=float(parse_duration(card.duration)),
        fade=float(parse_duration(card.fade)),
    )


def _milliseconds(duration: str) -> float:
    return float(parse_duration(duration) * 1000)


def _kebab(value: str) -> str:
    """Return `BottomRight` as the guide writes it: `bottom-right`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", value).lower()
