"""E5 to E7: processing jobs, which a worker of the predecessor keeps for its own tasks."""

from __future__ import annotations

import json

from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.legacy_worker.job_models import (
    TERMINAL_JOB_STATES,
    JobCreate,
    JobStatus,
    JobUpdate,
    JobView,
)
from clipmill_api.queries import processing_jobs
from clipmill_api.tables import ProcessingJobRow

# Limit of a job's merged `result_data`, in characters of JSON.
MAX_RESULT_CHARS = 64 * 1024


def create_job(
    session: Session, ctx: Context, principal: Principal, request: JobCreate
) -> tuple[str, bool]:
    """Return the id of the job with this external id, and whether it is new (E5)."""
    existing = processing_jobs.find_by_external_id(
        session, principal.compilation_id, request.external_id
    )
    if existing is not None:
        return existing.id, False
    job = ProcessingJobRow(
        id=new_id("j"),
        external_id=request.external_id,
        job_type=request.job_type,
        compilation_id=principal.compilation_id,
        owner=principal.owner,
        status=request.status.value,
        result_data={},
        started_at=ctx.now(),
        completed_at=ctx.now() if request.status in TERMINAL_JOB_STATES else None,
    )
    processing_jobs.add_job(session, job)
    return job.id, True


def _job(
    session: Session, principal: Principal, job_id: str, *, lock: bool = False
) -> ProcessingJobRow:
    job = processing_jobs.find_job(session, principal.compilation_id, job_id, lock=lock)
    if job is None:
        raise not_found("job", job_id)
    return job


def job_view(session: Session, principal: Principal, job_id: str) -> JobView:
    """Return a job (E6)."""
    job = _job(session, principal, job_id)
    return JobView(
        id=job.id,
        external_id=job.external_id,
        job_type=job.job_type,
        status=JobStatus(job.status),
        progress=job.progress,
        result_data=job.result_data,
        error_message=job.error_message,
    )


def update_job(
    session: Session, ctx: Context, principal: Principal, job_id: str, update: JobUpdate
) -> None:
    """Update a job under a row lock, so that concurrent updates are merged (E7).

    Raises:
        ApiProblem: 409 if the job has ended and the update would change it.
    """
    job = _job(session, principal, job_id, lock=True)
    changes = _changes(job, update)
    if JobStatus(job.status) in TERMINAL_JOB_STATES:
        if changes:
            detail = f"{', '.join(changes)}: job {job_id} is {job.status} and does not change"
            raise ApiProblem(409, "Ended", detail, state=job.status)
        return
    if changes.get("status") in TERMINAL_JOB_STATES:
        job.completed_at = ctx.now()
    for name, value in changes.items():
        setattr(job, name, value)
    session.flush()


def _changes(job: ProcessingJobRow, update: JobUpdate) -> dict[str, object]:
    """Return the columns that an update changes. Progress never falls, results are merged."""
    values = {
        "status": (update.status or JobStatus(job.status)).value,
        "progress": max(job.progress, update.progress or 0),
        "result_data": job.result_data | (update.result_data or {}),
        "error_message": update.error_message or job.error_message,
    }
    size = len(json.dumps(values["result_data"]))
    if size > MAX_RESULT_CHARS:
        detail = f"result_data: {size} characters of JSON; at most {MAX_RESULT_CHARS} are allowed"
        raise ApiProblem(422, "Invalid", detail, field="result_data")
    return {name: value for name, value in values.items() if value != getattr(job, name)}
