"""Bodies of the fifteen worker endpoints of the migration guide, as corrected.

snake_case as the guide has it; ids are strings; a user is named by its owner name. No file path
leaves the API. None is "no limit" and 0 is zero: the two are never mixed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from clipmill.protocol import MediaKind
from clipmill.spec import Id, Line, Name, SanitizedLine, Sha256


class Guide(BaseModel):
    """What these bodies share: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClipMetadata(Guide):
    """E1: what a download needs to know."""

    id: Id
    title: str | None
    source_url: str | None
    source_platform: Literal["twitch", "youtube", "discord", "external", "library"]
    source_id: str | None
    project_id: Id
    user_id: Name
    username: Name
    project_name: str


class ClipUpdate(Guide):
    """E2: what became of a clip. Either `media_file_id`, or `error`, which skips it so."""

    is_downloaded: bool | None = None
    media_file_id: Id | None = None
    duration: float | None = Field(None, ge=0, le=86_400)
    error: SanitizedLine | None = Field(None, max_length=500)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.error is not None and self.media_file_id is not None:
            raise ValueError("error and media_file_id: a clip has its media or an error, not both")
        return self


class ClipUpdated(Guide):
    """E2's answer."""

    status: Literal["updated"] = "updated"
    clip_id: Id


class MediaMetadata(Guide):
    """E3: a media file, without its place on the server's disk."""

    id: Id
    filename: str
    media_type: MediaKind
    duration: float | None
    user_id: Name
    username: Name


class MediaCreate(Guide):
    """E4: a media row for bytes that the API already holds for this owner, named by sha256."""

    filename: Line = Field(min_length=1, max_length=255)
    media_type: MediaKind = MediaKind.CLIP
    sha256: Sha256


class MediaCreated(Guide):
    """E4's answer; a repeat gives the same id."""

    status: Literal["created", "existing"]
    media_id: Id


class JobStatus(StrEnum):
    """States of a processing job; the last three are ends."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


JOB_ENDS = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


class JobCreate(Guide):
    """E5: get or create by the caller's own id."""

    external_id: Line = Field(min_length=1, max_length=200)
    job_type: Line = Field("unknown", min_length=1, max_length=60)
    status: JobStatus = JobStatus.RUNNING


class JobCreated(Guide):
    """E5's answer: 201 when new, 200 when it was there."""

    status: Literal["created", "existing"]
    job_id: Id


class JobView(Guide):
    """E6."""

    id: Id
    external_id: str
    job_type: str
    status: JobStatus
    progress: int
    result_data: dict[str, Any]
    error_message: str | None


class JobUpdate(Guide):
    """E7: progress only rises; `result_data` is merged key by key; an ended job stays ended."""

    status: JobStatus | None = None
    progress: int | None = Field(None, ge=0, le=100)
    result_data: dict[str, Any] | None = None
    error_message: SanitizedLine | None = Field(None, max_length=4000)


class JobUpdated(Guide):
    """E7's answer."""

    status: Literal["updated"] = "updated"
    job_id: Id


class ProjectClip(Guide):
    """One clip of E8."""

    id: Id
    title: str | None
    order_index: int
    media_file_id: Id | None
    duration: float | None
    start_time: float | None
    end_time: float | None
    is_downloaded: bool


class ProjectMetadata(Guide):
    """E8."""

    id: Id
    name: str
    user_id: Name
    username: Name
    max_clip_duration: float | None
    output_resolution: str
    output_format: str
    audio_norm_db: float | None
    clips: list[ProjectClip]


class ProjectUpdate(Guide):
    """E9. `failed` ends it; `processing` and `completed` are taken when they are true."""

    status: Literal["processing", "completed", "failed"]
    error: SanitizedLine | None = Field(None, max_length=500)


class ProjectUpdated(Guide):
    """E9's answer."""

    status: Literal["updated"] = "updated"
    project_id: Id


class StorageQuota(Guide):
    """E10."""

    remaining_bytes: int | None
    total_bytes: int | None
    used_bytes: int


class UserTierLimits(Guide):
    """E11."""

    tier: str
    storage_limit_bytes: int | None
    render_time_limit_seconds: int | None
    apply_watermark: bool
    is_unlimited: bool


class RenderRecord(Guide):
    """E12: one row for each (compilation, generation), whatever is sent twice."""

    project_id: Id
    seconds: float = Field(ge=0, le=86_400 * 7)


class RenderRecorded(Guide):
    """E12's answer: what is stored."""

    status: Literal["recorded", "existing"]
    seconds: int


class ReuseQuery(Guide):
    """E13."""

    source_url: Line = Field(min_length=1, max_length=2000)


class Reuse(Guide):
    """E13's answer."""

    found: bool
    media_file_id: Id | None = None
    duration: float | None = None
    clip_key: str | None = None


class ContextProject(Guide):
    """The project in E14."""

    id: Id
    user_id: Name
    username: Name
    name: str
    output_resolution: str
    output_format: str
    fps: int
    fit: str
    loudness_lufs: float
    true_peak_dbtp: float
    max_clip_duration: float | None
    intro_media_id: Id | None
    outro_media_id: Id | None
    transition_media_ids: list[Id]


class ContextMedia(Guide):
    """A media file in E14 and E15."""

    id: Id
    media_type: MediaKind
    duration: float | None
    width: int | None
    height: int | None
    framerate: float | None


class ContextClip(Guide):
    """A clip in E14."""

    id: Id
    order_index: int
    start_time: float | None
    end_time: float | None
    media_file: ContextMedia | None


class ContextLimits(Guide):
    """The tier's limits in E14; None: no cap."""

    max_res_label: str | None
    max_fps: int | None
    max_clips: int | None
    apply_watermark: bool


class CompilationContext(Guide):
    """E14: one call with all that a render needs to know."""

    project: ContextProject
    clips: list[ContextClip]
    tier_limits: ContextLimits


class MediaBatchQuery(Guide):
    """E15: at most 500 ids."""

    media_ids: list[Id] = Field(max_length=500)


class MediaBatch(Guide):
    """E15's answer, in the order asked; ids that are not the owner's are named, not dropped."""

    media_files: list[ContextMedia]
    missing: list[str]
