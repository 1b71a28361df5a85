"""Routes of jobs: claim, heartbeat and result of a task, and the watermark."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from clipmill.protocol import Assignment, Claim, Heartbeat, HeartbeatReply, TaskResult, TaskSpans
from clipmill.spec import Sha256
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.http import job_access, job_keys
from clipmill_api.http.authentication import JobPrincipal
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.job_access import WatermarkReader
from clipmill_api.http.problem_details import not_found
from clipmill_api.media import downloads
from clipmill_api.media.blob_store import INSTALLATION
from clipmill_api.tasks import leases, outcome
from clipmill_api.tracing import task_traces

router = APIRouter(route_class=YamlRoute, prefix="/api/worker", tags=["worker"])


@router.post("/claim")
def claim_task(ctx: Ctx, principal: JobPrincipal, claim: Claim) -> Assignment:
    """Claim a task under a lease and return its assignment, with the key of the task."""

    def claim_with_key(session: Session) -> Assignment:
        assignment = leases.claim_task(session, ctx, principal, claim)
        key = job_keys.add_task_key(session, principal, assignment)
        return assignment.model_copy(update={"key": key})

    return ctx.db.write(claim_with_key)


@router.post("/heartbeat")
def send_heartbeat(ctx: Ctx, principal: JobPrincipal, heartbeat: Heartbeat) -> HeartbeatReply:
    """Renew a lease and report progress; the reply says whether to go on."""
    job_access.require_task(principal, index=heartbeat.index, epoch=heartbeat.epoch)
    # The next one makes up for a lost one.
    return ctx.db.write_columns(
        lambda connection: leases.record_heartbeat(connection, ctx, principal, heartbeat),
        is_durable=False,
    )


@router.post("/result", status_code=204)
def report_result(ctx: Ctx, principal: JobPrincipal, result: TaskResult) -> None:
    """Report the result of a task. The last result completes the compilation."""
    job_access.require_task(principal, index=result.index, epoch=result.epoch)
    ctx.db.write(lambda session: outcome.record_result(session, ctx, principal, result))


@router.post("/spans", status_code=204)
def report_spans(ctx: Ctx, principal: JobPrincipal, report: TaskSpans) -> None:
    """Report how long the steps of a task took, for the trace that its assignment names."""
    job_access.require_task(principal, index=report.index, epoch=report.epoch)
    task_traces.record_spans(ctx, principal, report)


@router.get("/watermark/{sha256}")
def download_watermark(request: Request, ctx: Ctx, _: WatermarkReader, sha256: Sha256) -> Response:
    """Download the installation's watermark that an assignment names."""
    try:
        size = ctx.store.size(INSTALLATION, sha256)
    except FileNotFoundError:
        raise not_found("watermark", sha256) from None
    return downloads.serve(
        request, ctx, owner=INSTALLATION, sha256=sha256, size=size, name="watermark.png"
    )
