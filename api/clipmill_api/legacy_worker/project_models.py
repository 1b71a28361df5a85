"""Bodies of E8, E9 and E14: the compilation, which the guide calls a project."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clipmill.protocol.result_record import CreditEntry
from clipmill.spec import Id, Name, Pane, SanitizedLine
from clipmill_api.legacy_worker.legacy_model import LegacyModel
from clipmill_api.legacy_worker.media_models import MediaProperties


class ProjectUpdate(LegacyModel):
    """Report on a project (E9): `failed` ends it, the others are accepted when they are true."""

    status: Literal["processing", "completed", "failed"]
    error: SanitizedLine | None = Field(None, max_length=500)


class ProjectUpdated(LegacyModel):
    """Reply of E9."""

    status: Literal["updated"] = "updated"
    project_id: Id


class ProjectTransition(LegacyModel):
    """Transition into a clip. Both clips overlap for `duration` seconds."""

    type: str
    duration: float
    audio_curve: str


class ProjectOverlay(LegacyModel):
    """A text or an image over the picture; sizes are percent of the frame's height."""

    text: str | None
    media_file_id: Id | None
    position: str
    size_percent: int
    margin_percent: int
    opacity: float = Field(description="0 to 1.")
    color: str
    box_opacity: float = Field(description="0 to 1, of the box behind the text.")
    start_time: float
    end_time: float | None
    fade: float


class ProjectWatermark(LegacyModel):
    """The watermark of tier and installation; sizes are percent of the frame's height."""

    sha256: str = Field(description="Content, at GET /api/worker/watermark/{sha256}.")
    position: str
    opacity: float = Field(description="0 to 1.")
    size_percent: int
    margin_percent: int


class ProjectMusic(LegacyModel):
    """Music under the programme. Its ducking is in the project's `duck_` fields."""

    media_file_id: Id
    gain_db: float
    loop: bool
    start_mode: Literal["start", "after_intro"]
    end_mode: Literal["end", "before_outro"]
    fade_out: float
    duck_depth_db: float | None = Field(description="Fixed attenuation in place of the ratio.")


class TransitionClipSettings(LegacyModel):
    """Transition clips and where they play."""

    media_file_ids: list[Id]
    order: str
    seed: int
    placement: str


class BumperSettings(LegacyModel):
    """The bumper and where it plays."""

    media_file_id: Id
    placement: str


class CreatorCardSettings(LegacyModel):
    """When the creator card of a clip shows, in seconds from the clip's start."""

    show: bool
    start_time: float
    duration: float
    fade: float


class ProjectItem(LegacyModel):
    """An item of an output's timeline, in frames of the output."""

    kind: str
    name: str
    media_file_id: Id | None
    first_frame: int
    source_first_frame: int
    frames: int
    transition: str
    transition_frames: int


class MusicRange(LegacyModel):
    """Frames of an output over which the music plays."""

    first_frame: int
    frames: int


class ProjectOutput(LegacyModel):
    """An output as it is rendered, within the limits of the tier.

    While clips are missing, `is_exact` is false and their lengths are estimates. Without a
    timeline, `frames` and `duration` are null and `notes` says why.
    """

    name: Name
    preset: str
    output_resolution: str
    width: int
    height: int
    fps: int
    output_format: Literal["mp4", "webm"]
    video_encoder: str
    max_bitrate: int
    max_file_size: int | None
    fit: str
    vertical_zoom: int
    vertical_align: str
    layout: list[Pane]
    frames: int | None
    duration: float | None
    is_exact: bool
    timeline: list[ProjectItem]
    music: MusicRange | None
    credits: list[CreditEntry]
    notes: list[str]


class ProjectSettings(LegacyModel):
    """A project's settings and outputs, in E8 and E14.

    The guide knows one output: its fields from `output_resolution` to `vertical_align` describe
    the first of `outputs`. `duck_threshold` is a linear level, `duck_attack` and `duck_release`
    are milliseconds.
    """

    id: Id
    user_id: Name
    username: Name
    name: str
    title: str | None
    quality: str
    max_clip_duration: float | None
    output_resolution: str
    output_format: Literal["mp4", "webm"]
    fps: int
    fit: str
    vertical_zoom: int
    vertical_align: str
    audio_norm_db: float
    loudness_lufs: float
    true_peak_dbtp: float
    duck_threshold: float
    duck_ratio: float
    duck_attack: float
    duck_release: float
    intro_media_id: Id | None
    outro_media_id: Id | None
    transition_media_ids: list[Id]
    transitions: TransitionClipSettings | None
    bumper: BumperSettings | None
    music: ProjectMusic | None
    overlays: list[ProjectOverlay]
    creator_card: CreatorCardSettings
    watermark: ProjectWatermark | None
    outputs: list[ProjectOutput]


class LegacyClip(LegacyModel):
    """What E8 and E14 say of a clip, besides its media."""

    id: Id
    title: str | None
    order_index: int
    start_time: float | None
    end_time: float | None
    is_downloaded: bool
    creator_name: str | None
    game_name: str | None
    avatar_media_id: Id | None
    transition: ProjectTransition | None
    overlays: list[ProjectOverlay]


class ProjectClip(LegacyClip):
    """A clip of E8."""

    media_file_id: Id | None
    duration: float | None


class ProjectMetadata(ProjectSettings):
    """Reply of E8."""

    clips: list[ProjectClip]


class ContextClip(LegacyClip):
    """A clip of E14."""

    media_file: MediaProperties | None


class ContextLimits(LegacyModel):
    """Limits of the tier in E14. `null` means no limit."""

    max_res_label: str | None
    max_fps: int | None
    max_clips: int | None
    apply_watermark: bool
    watermark_opacity: float | None
    watermark_position: str | None


class CompilationContext(LegacyModel):
    """Reply of E14: everything that a render needs, in one call."""

    project: ProjectSettings
    clips: list[ContextClip]
    tier_limits: ContextLimits
