"""One method for each function of the migration guide, under its name there."""

from __future__ import annotations

from typing import Any

from clipmill_api.legacy_worker.models import (
    ClipMetadata,
    ClipUpdate,
    ClipUpdated,
    CompilationContext,
    JobCreate,
    JobCreated,
    JobUpdate,
    JobUpdated,
    JobView,
    MediaBatch,
    MediaBatchQuery,
    MediaCreate,
    MediaCreated,
    MediaMetadata,
    ProjectMetadata,
    ProjectUpdate,
    ProjectUpdated,
    RenderRecord,
    RenderRecorded,
    Reuse,
    ReuseQuery,
    StorageQuota,
    UserTierLimits,
)
from clipmill_client.http_transport import Wire

ROOT = "/api/worker"


class GuideCalls:
    """The fifteen endpoints. The key says whose they are: a foreign id is 404."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def get_clip_metadata(self, clip_id: str) -> ClipMetadata:
        """E1: what a download needs to know."""
        return self._wire.ask(ClipMetadata, "GET", f"{ROOT}/clips/{clip_id}")

    def update_clip_status(self, clip_id: str, **update: Any) -> ClipUpdated:
        """E2: what became of a clip."""
        body = ClipUpdate(**update)
        return self._wire.ask(ClipUpdated, "POST", f"{ROOT}/clips/{clip_id}/status", body=body)

    def get_media_metadata(self, media_id: str) -> MediaMetadata:
        """E3."""
        return self._wire.ask(MediaMetadata, "GET", f"{ROOT}/media/{media_id}")

    def create_media_file(self, **media: Any) -> MediaCreated:
        """E4: a media row for bytes already sent up; a repeat gives the same row."""
        return self._wire.ask(MediaCreated, "POST", f"{ROOT}/media", body=MediaCreate(**media))

    def create_processing_job(self, **job: Any) -> JobCreated:
        """E5: get or create by `external_id`."""
        return self._wire.ask(JobCreated, "POST", f"{ROOT}/jobs", body=JobCreate(**job))

    def get_processing_job(self, job_id: str) -> JobView:
        """E6."""
        return self._wire.ask(JobView, "GET", f"{ROOT}/jobs/{job_id}")

    def update_processing_job(self, job_id: str, **update: Any) -> JobUpdated:
        """E7: progress rises, results merge, an ended job stays ended."""
        return self._wire.ask(JobUpdated, "PUT", f"{ROOT}/jobs/{job_id}", body=JobUpdate(**update))

    def get_project_metadata(self, project_id: str) -> ProjectMetadata:
        """E8."""
        return self._wire.ask(ProjectMetadata, "GET", f"{ROOT}/projects/{project_id}")

    def update_project_status(self, project_id: str, **update: Any) -> ProjectUpdated:
        """E9."""
        where = f"{ROOT}/projects/{project_id}/status"
        return self._wire.ask(ProjectUpdated, "PUT", where, body=ProjectUpdate(**update))

    def get_user_quota(self, user_id: str) -> StorageQuota:
        """E10."""
        return self._wire.ask(StorageQuota, "GET", f"{ROOT}/users/{user_id}/quota")

    def get_user_tier_limits(self, user_id: str) -> UserTierLimits:
        """E11."""
        return self._wire.ask(UserTierLimits, "GET", f"{ROOT}/users/{user_id}/tier-limits")

    def record_render_usage(self, user_id: str, **record: Any) -> RenderRecorded:
        """E12: once for each (compilation, generation)."""
        where = f"{ROOT}/users/{user_id}/record-render"
        return self._wire.ask(RenderRecorded, "POST", where, body=RenderRecord(**record))

    def find_reusable_media(self, source_url: str) -> Reuse:
        """E13: media of the same clip, by its clip key."""
        body = ReuseQuery(source_url=source_url)
        return self._wire.ask(Reuse, "POST", f"{ROOT}/media/find-reusable", body=body)

    def get_compilation_context(self, project_id: str) -> CompilationContext:
        """E14: all that a render needs to know, in one call."""
        where = f"{ROOT}/projects/{project_id}/compilation-context"
        return self._wire.ask(CompilationContext, "GET", where)

    def get_media_batch(self, media_ids: list[str]) -> MediaBatch:
        """E15: in the order asked, the missing ones named."""
        body = MediaBatchQuery(media_ids=media_ids)
        return self._wire.ask(MediaBatch, "POST", f"{ROOT}/media/batch", body=body)
