"""Routes of the operator: plans, submissions, keys of jobs, failed tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from clipmill.protocol import (
    ActiveCompilation,
    CompilationView,
    FailedTasks,
    KeyReply,
    KeyRequest,
    Plan,
    Submission,
    SubmissionAction,
    SubmissionRefusal,
)
from clipmill.protocol.operator_messages import UID_PATTERN, OwnerUsage
from clipmill.spec.base import Name
from clipmill_api.compilations import plan_reader, responses, submission
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.delivery import delivery_outbox
from clipmill_api.http.authentication import operator_only
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.job_keys import replace_job_key
from clipmill_api.http.problem_details import not_found
from clipmill_api.queries import compilation_records, quota_ledger, revision_clips
from clipmill_api.queries.shows import episode_rows
from clipmill_api.shows.show_views import show_reference
from clipmill_api.tables import CompilationRow
from clipmill_api.tasks import outcome

router = APIRouter(
    route_class=YamlRoute,
    prefix="/api/operator",
    tags=["operator"],
    dependencies=[Depends(operator_only)],
)
Limit = Annotated[int, Query(ge=1, le=2000)]
Uid = Annotated[str, Path(pattern=UID_PATTERN)]
Owners = Annotated[list[Name], Query(alias="owner", min_length=1, max_length=200)]
# The usage by which the operator's queue is fair between owners.
RECENT = timedelta(hours=24)


def _compilation(session: Session, uid: str, *, lock: bool = False) -> CompilationRow:
    row = compilation_records.find_by_uid(session, uid, lock=lock)
    if row is None:
        raise not_found("compilation", uid)
    return row


@router.get("/compilations/{uid}")
def get_generation_plan(ctx: Ctx, uid: Uid) -> Plan:
    """Return the plan of the newest generation."""
    with ctx.db.read() as session:
        return plan_reader.read_plan(session, ctx, _compilation(session, uid))


@router.get("/compilations/{uid}/status")
def get_generation_status(ctx: Ctx, uid: Uid) -> CompilationView:
    """Return state, progress and outputs of the newest generation."""
    with ctx.db.read() as session:
        return responses.newest_view(session, ctx, _compilation(session, uid))


@router.get("/active")
def list_active_compilations(ctx: Ctx, limit: Limit = 100) -> list[ActiveCompilation]:
    """Return compilations that have not ended, oldest first, and those that are being delivered."""
    with ctx.db.read() as session:
        rows = compilation_records.list_active(session, limit)
        delivering = compilation_records.list_delivering(session, limit)
        keys = [(row.id, revision.generation) for row, revision in rows + delivering]
        clips = revision_clips.clips_by_revision(session, keys)
        deliveries = delivery_outbox.summaries(session, [r for _, r in delivering])
    return [
        responses.active_view(ctx, row, revision, clips[key], deliveries.get(key))
        for key, (row, revision) in zip(keys, rows + delivering, strict=True)
    ]


@router.get("/usage")
def list_recent_usage(ctx: Ctx, owners: Owners) -> list[OwnerUsage]:
    """Return the render seconds of owners in the last 24 hours, settled ones only."""
    with ctx.db.read() as session:
        seconds = quota_ledger.usage_since(session, owners, ctx.now() - RECENT)
    return [OwnerUsage(owner=owner, seconds=seconds.get(owner, 0)) for owner in owners]


@router.get("/submissions")
def list_submissions(
    ctx: Ctx, limit: Limit = 100, action: SubmissionAction | None = None
) -> list[Submission]:
    """Return resources that are still to be created, changed or deleted, oldest first."""
    with ctx.db.read() as session:
        rows = compilation_records.list_outbox(session, limit, action)
        of_shows = episode_rows.shows_of_compilations(session, [row.id for row, _ in rows])
    return [
        responses.submission_view(row, revision, show_reference(*of_shows[row.id]))
        if row.id in of_shows
        else responses.submission_view(row, revision)
        for row, revision in rows
    ]


@router.post("/submissions/{compilation_id}/refused", status_code=204)
def refuse_submission(ctx: Ctx, compilation_id: str, refusal: SubmissionRefusal) -> None:
    """Report that no resource can be created for a submission, which fails it."""

    def refuse(session: Session) -> None:
        row = compilation_records.find_and_lock(session, compilation_id)
        if row is None:
            raise not_found("compilation", compilation_id)
        submission.fail_submission(session, ctx, row, refusal)

    ctx.db.write(refuse)


@router.delete("/compilations/{uid}", status_code=204)
def delete_registration(ctx: Ctx, uid: Uid) -> None:
    """Report a deleted resource: cancel it, revoke its keys and release its quota."""

    def delete(session: Session) -> None:
        row = compilation_records.find_by_uid(session, uid, lock=True)
        if row is not None:
            submission.resource_deleted(session, ctx, row)

    ctx.db.write(delete)


@router.post("/compilations/{uid}/keys", status_code=201)
def create_job_key(ctx: Ctx, uid: Uid, request: KeyRequest) -> KeyReply:
    """Create a key for the pods of a stage; it replaces the stage's earlier key."""

    def create(session: Session) -> str:
        row = _compilation(session, uid, lock=True)
        return replace_job_key(
            session, ctx, row, generation=request.generation, stage=request.stage
        )

    return KeyReply(key=ctx.db.write(create))


@router.post("/compilations/{uid}/failed")
def report_failed_tasks(ctx: Ctx, uid: Uid, tasks: FailedTasks) -> Plan:
    """Report tasks that are not retried any more: their clips are skipped, or the render fails."""

    def report(session: Session) -> Plan:
        row = _compilation(session, uid, lock=True)
        if tasks.generation == row.generation:
            outcome.record_failed_tasks(session, ctx, row, tasks)
        return plan_reader.read_plan(session, ctx, row)

    return ctx.db.write(report)
