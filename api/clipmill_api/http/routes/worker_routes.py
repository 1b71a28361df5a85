"""What jobs ask: their order, their lease, their end; and the migration guide's endpoints."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from clipmill.protocol import Assignment, Claim, Heartbeat, HeartbeatReply, TaskResult
from clipmill.spec import Sha256
from clipmill_api.accounts.output_policy import INSTALLATION
from clipmill_api.context import Ctx
from clipmill_api.http.authentication import Job, LiveJob
from clipmill_api.http.problem_details import not_found
from clipmill_api.legacy_worker import (
    clip_endpoints,
    job_endpoints,
    media_endpoints,
    project_endpoints,
    user_endpoints,
)
from clipmill_api.legacy_worker import models as body
from clipmill_api.media import downloads
from clipmill_api.tasks import leases, outcome

router = APIRouter(prefix="/api/worker", tags=["worker"])


@router.post("/claim")
def claim(ctx: Ctx, who: Job, asked: Claim) -> Assignment:
    """Take a part under a lease and learn what to do."""
    return ctx.db.write(lambda session: leases.claim(session, ctx, who, asked))


@router.post("/heartbeat")
def heartbeat(ctx: Ctx, who: Job, beat: Heartbeat) -> HeartbeatReply:
    """Hold on to a part, tell of progress, learn whether to stop."""
    return ctx.db.write(lambda session: leases.heartbeat(session, ctx, who, beat))


@router.post("/result", status_code=204)
def result(ctx: Ctx, who: Job, given: TaskResult) -> None:
    """The end of a part. The last one makes the compilation succeed."""
    ctx.db.write(lambda session: outcome.result(session, ctx, who, given))


@router.get("/watermark/{sha256}")
def watermark(request: Request, ctx: Ctx, _: LiveJob, sha256: Sha256) -> Response:
    """The installation's watermark, as it was when the order was made."""
    try:
        size = ctx.store.size(INSTALLATION, sha256)
    except FileNotFoundError:
        raise not_found("watermark", sha256) from None
    return downloads.serve(
        request, ctx, owner=INSTALLATION, sha256=sha256, size=size, name="watermark.png"
    )


@router.get("/clips/{clip_id}")
def get_clip(ctx: Ctx, who: LiveJob, clip_id: str) -> body.ClipMetadata:
    """E1: what a download needs to know."""
    with ctx.db.read() as session:
        return clip_endpoints.clip_metadata(session, who, clip_id)


@router.post("/clips/{clip_id}/status")
def post_clip_status(
    ctx: Ctx, who: LiveJob, clip_id: str, given: body.ClipUpdate
) -> body.ClipUpdated:
    """E2: what became of a clip."""
    ctx.db.write(lambda session: clip_endpoints.update_clip(session, ctx, who, clip_id, given))
    return body.ClipUpdated(clip_id=clip_id)


@router.get("/media/{media_id}")
def get_media(ctx: Ctx, who: LiveJob, media_id: str) -> body.MediaMetadata:
    """E3: a media file, without its place on the server's disk."""
    with ctx.db.read() as session:
        return media_endpoints.media_metadata(session, who, media_id)


@router.post("/media", status_code=201)
def post_media(
    ctx: Ctx, who: LiveJob, given: body.MediaCreate, response: Response
) -> body.MediaCreated:
    """E4: a media row for bytes already sent up; 200 when it was there."""
    made = ctx.db.write(lambda session: media_endpoints.create_media(session, ctx, who, given))
    response.status_code = 201 if made.status == "created" else 200
    return made


@router.post("/jobs", status_code=201)
def post_job(ctx: Ctx, who: LiveJob, given: body.JobCreate, response: Response) -> body.JobCreated:
    """E5: get or create by the caller's own id; 200 when it was there."""
    job_id, new = ctx.db.write(lambda session: job_endpoints.create_job(session, ctx, who, given))
    response.status_code = 201 if new else 200
    return body.JobCreated(status="created" if new else "existing", job_id=job_id)


@router.get("/jobs/{job_id}")
def get_job(ctx: Ctx, who: LiveJob, job_id: str) -> body.JobView:
    """E6: a processing job."""
    with ctx.db.read() as session:
        return job_endpoints.job(session, who, job_id)


@router.put("/jobs/{job_id}")
def put_job(ctx: Ctx, who: LiveJob, job_id: str, given: body.JobUpdate) -> body.JobUpdated:
    """E7: progress rises, results merge, an ended job stays ended."""
    ctx.db.write(lambda session: job_endpoints.update_job(session, ctx, who, job_id, given))
    return body.JobUpdated(job_id=job_id)


@router.get("/projects/{project_id}")
def get_project(ctx: Ctx, who: LiveJob, project_id: str) -> body.ProjectMetadata:
    """E8: the compilation with its clips in order."""
    with ctx.db.read() as session:
        return project_endpoints.project(session, who, project_id)


@router.put("/projects/{project_id}/status")
def put_project(
    ctx: Ctx, who: Job, project_id: str, given: body.ProjectUpdate
) -> body.ProjectUpdated:
    """E9: `failed` ends it; the others are taken when they are true."""
    ctx.db.write(
        lambda session: project_endpoints.update_project(session, ctx, who, project_id, given)
    )
    return body.ProjectUpdated(project_id=project_id)


@router.get("/users/{user_id}/quota")
def get_quota(ctx: Ctx, who: LiveJob, user_id: str) -> body.StorageQuota:
    """E10: storage used and left; null is no limit."""
    with ctx.db.read() as session:
        return user_endpoints.storage(session, who, user_id)


@router.get("/users/{user_id}/tier-limits")
def get_tier_limits(ctx: Ctx, who: LiveJob, user_id: str) -> body.UserTierLimits:
    """E11: the tier's limits; null is no limit."""
    with ctx.db.read() as session:
        return user_endpoints.tier_limits(session, who, user_id)


@router.post("/users/{user_id}/record-render")
def post_render(ctx: Ctx, who: Job, user_id: str, given: body.RenderRecord) -> body.RenderRecorded:
    """E12: one row for each generation; its seconds are the timeline's."""
    project_id = given.project_id
    return ctx.db.write(lambda s: user_endpoints.record_render(s, ctx, who, user_id, project_id))


@router.post("/media/find-reusable")
def post_find_reusable(ctx: Ctx, who: LiveJob, asked: body.ReuseQuery) -> body.Reuse:
    """E13: media of the same clip, by its key."""
    with ctx.db.read() as session:
        return media_endpoints.find_reusable(session, who, asked.source_url)


@router.get("/projects/{project_id}/compilation-context")
def get_context(ctx: Ctx, who: LiveJob, project_id: str) -> body.CompilationContext:
    """E14: all that a render needs to know."""
    with ctx.db.read() as session:
        return project_endpoints.context(session, who, project_id)


@router.post("/media/batch")
def post_media_batch(ctx: Ctx, who: LiveJob, asked: body.MediaBatchQuery) -> body.MediaBatch:
    """E15: in the order asked, the missing ones named."""
    with ctx.db.read() as session:
        return media_endpoints.media_batch(session, who, asked.media_ids)
