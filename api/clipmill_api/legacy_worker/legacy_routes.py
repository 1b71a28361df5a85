"""Routes of the fifteen endpoints, E1 to E15."""

from __future__ import annotations

from fastapi import APIRouter, Response

from clipmill_api.context import Ctx
from clipmill_api.http.authentication import ActiveJobPrincipal, JobPrincipal, LiveJobPrincipal
from clipmill_api.http.one_thread import OneThreadRoute
from clipmill_api.legacy_worker import (
    clip_endpoints,
    job_endpoints,
    media_endpoints,
    project_endpoints,
    user_endpoints,
)
from clipmill_api.legacy_worker.clip_models import ClipMetadata, ClipUpdate, ClipUpdated
from clipmill_api.legacy_worker.job_models import (
    JobCreate,
    JobCreated,
    JobUpdate,
    JobUpdated,
    JobView,
)
from clipmill_api.legacy_worker.media_models import (
    MediaBatch,
    MediaBatchQuery,
    MediaCreate,
    MediaCreated,
    MediaMetadata,
    ReusableMedia,
    ReuseQuery,
)
from clipmill_api.legacy_worker.project_models import (
    CompilationContext,
    ProjectMetadata,
    ProjectUpdate,
    ProjectUpdated,
)
from clipmill_api.legacy_worker.user_models import (
    RenderRecord,
    RenderRecorded,
    StorageQuota,
    UserTierLimits,
)

router = APIRouter(route_class=OneThreadRoute, prefix="/api/worker", tags=["legacy worker"])


@router.get("/clips/{clip_id}")
def get_clip_metadata(ctx: Ctx, principal: LiveJobPrincipal, clip_id: str) -> ClipMetadata:
    """E1: return what a download needs to know of a clip."""
    with ctx.db.read() as session:
        return clip_endpoints.clip_metadata(session, principal, clip_id)


@router.post("/clips/{clip_id}/status")
def update_clip_status(
    ctx: Ctx, principal: ActiveJobPrincipal, clip_id: str, update: ClipUpdate
) -> ClipUpdated:
    """E2: report a clip's media or its error."""
    ctx.db.write(
        lambda session: clip_endpoints.update_clip(session, ctx, principal, clip_id, update)
    )
    return ClipUpdated(clip_id=clip_id)


@router.get("/media/{media_id}")
def get_media_metadata(ctx: Ctx, principal: LiveJobPrincipal, media_id: str) -> MediaMetadata:
    """E3: return a media file."""
    with ctx.db.read() as session:
        return media_endpoints.media_metadata(session, principal, media_id)


@router.post("/media", status_code=201)
def create_media_file(
    ctx: Ctx, principal: LiveJobPrincipal, request: MediaCreate, response: Response
) -> MediaCreated:
    """E4: create a media row for uploaded bytes; status 200 if it existed."""
    reply = ctx.db.write(
        lambda session: media_endpoints.create_media(session, ctx, principal, request)
    )
    response.status_code = 201 if reply.status == "created" else 200
    return reply


@router.post("/jobs", status_code=201)
def create_processing_job(
    ctx: Ctx, principal: LiveJobPrincipal, request: JobCreate, response: Response
) -> JobCreated:
    """E5: get or create a job by the caller's own id; status 200 if it existed."""
    job_id, is_new = ctx.db.write(
        lambda session: job_endpoints.create_job(session, ctx, principal, request)
    )
    response.status_code = 201 if is_new else 200
    return JobCreated(status="created" if is_new else "existing", job_id=job_id)


@router.get("/jobs/{job_id}")
def get_processing_job(ctx: Ctx, principal: LiveJobPrincipal, job_id: str) -> JobView:
    """E6: return a processing job."""
    with ctx.db.read() as session:
        return job_endpoints.job_view(session, principal, job_id)


@router.put("/jobs/{job_id}")
def update_processing_job(
    ctx: Ctx, principal: LiveJobPrincipal, job_id: str, update: JobUpdate
) -> JobUpdated:
    """E7: update a job; progress never falls, results are merged, an ended job stays ended."""
    ctx.db.write(lambda session: job_endpoints.update_job(session, ctx, principal, job_id, update))
    return JobUpdated(job_id=job_id)


@router.get("/projects/{project_id}")
def get_project_metadata(ctx: Ctx, principal: LiveJobPrincipal, project_id: str) -> ProjectMetadata:
    """E8: return a project's settings, outputs and clips."""
    with ctx.db.read() as session:
        return project_endpoints.project_metadata(session, principal, project_id)


@router.put("/projects/{project_id}/status")
def update_project_status(
    ctx: Ctx, principal: JobPrincipal, project_id: str, update: ProjectUpdate
) -> ProjectUpdated:
    """E9: end a project as failed, or confirm its state."""
    ctx.db.write(
        lambda session: project_endpoints.update_project(
            session, ctx, principal, project_id, update
        )
    )
    return ProjectUpdated(project_id=project_id)


@router.get("/users/{user_id}/quota")
def get_user_quota(ctx: Ctx, principal: LiveJobPrincipal, user_id: str) -> StorageQuota:
    """E10: return used and remaining storage; null is no limit."""
    with ctx.db.read() as session:
        return user_endpoints.storage(session, principal, user_id)


@router.get("/users/{user_id}/tier-limits")
def get_user_tier_limits(ctx: Ctx, principal: LiveJobPrincipal, user_id: str) -> UserTierLimits:
    """E11: return the limits of the user's tier; null is no limit."""
    with ctx.db.read() as session:
        return user_endpoints.tier_limits(session, principal, user_id)


@router.post("/users/{user_id}/record-render")
def record_render_usage(
    ctx: Ctx, principal: JobPrincipal, user_id: str, record: RenderRecord
) -> RenderRecorded:
    """E12: record the render time of a generation once, with the timeline's seconds."""
    return ctx.db.write(
        lambda session: user_endpoints.record_render(
            session, ctx, principal, user_id, record.project_id
        )
    )


@router.post("/media/find-reusable")
def find_reusable_media(ctx: Ctx, principal: LiveJobPrincipal, query: ReuseQuery) -> ReusableMedia:
    """E13: find media of the same clip by its clip key."""
    with ctx.db.read() as session:
        return media_endpoints.find_reusable(session, principal, query.source_url)


@router.get("/projects/{project_id}/compilation-context")
def get_compilation_context(
    ctx: Ctx, principal: LiveJobPrincipal, project_id: str
) -> CompilationContext:
    """E14: return everything that a render of a project needs."""
    with ctx.db.read() as session:
        return project_endpoints.compilation_context(session, principal, project_id)


@router.post("/media/batch")
def get_media_batch(ctx: Ctx, principal: LiveJobPrincipal, query: MediaBatchQuery) -> MediaBatch:
    """E15: return media files in the order of the ids, and the missing ids."""
    with ctx.db.read() as session:
        return media_endpoints.media_batch(session, principal, query.media_ids)
