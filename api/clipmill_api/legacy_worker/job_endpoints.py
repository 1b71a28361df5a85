"""E5 to E7: processing jobs."""

from __future__ import annotations

import json

from sqlalchemy.orm import Session

from clipmill_api.context import Context, new_id
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.legacy_worker.models import JOB_ENDS, JobCreate, JobStatus, JobUpdate, JobView
from clipmill_api.queries import processing_jobs
from clipmill_api.tables import ProcessingJobRow

RESULT_CHARS = 64 * 1024
"""Most that a job's `result_data` may grow to."""


def create_job(
    session: Session, ctx: Context, who: Principal, given: JobCreate
) -> tuple[str, bool]:
    """E5: (id, whether it is new)."""
    found = processing_jobs.by_external_id(session, who.compilation_id, given.external_id)
    if found is not None:
        return found.id, False
    row = ProcessingJobRow(
        id=new_id("j"),
        external_id=given.external_id,
        job_type=given.job_type,
        compilation_id=who.compilation_id,
        owner=who.owner,
        status=given.status.value,
        result_data={},
        started_at=ctx.now(),
        completed_at=ctx.now() if given.status in JOB_ENDS else None,
    )
    processing_jobs.add(session, row)
    return row.id, True


def _job(session: Session, who: Principal, job_id: str, *, lock: bool = False) -> ProcessingJobRow:
    row = processing_jobs.by_id(session, who.compilation_id, job_id, lock=lock)
    if row is None:
        raise not_found("job", job_id)
    return row


def job(session: Session, who: Principal, job_id: str) -> JobView:
    """E6."""
    row = _job(session, who, job_id)
    return JobView(
        id=row.id,
        external_id=row.external_id,
        job_type=row.job_type,
        status=JobStatus(row.status),
        progress=row.progress,
        result_data=row.result_data,
        error_message=row.error_message,
    )


def update_job(
    session: Session, ctx: Context, who: Principal, job_id: str, given: JobUpdate
) -> None:
    """E7: held for the change, so that two at once both count. An ended job stays as it is."""
    row = _job(session, who, job_id, lock=True)
    values = _changed(row, given)
    if JobStatus(row.status) in JOB_ENDS:
        if values:
            detail = f"job {job_id} is {row.status} and stays so: {', '.join(values)} came too late"
            raise ApiProblem(409, "Ended", detail, state=row.status)
        return
    if values.get("status") in JOB_ENDS:
        row.completed_at = ctx.now()
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()


def _changed(row: ProcessingJobRow, given: JobUpdate) -> dict[str, object]:
    """What an update would change of a job. Progress only rises, results are merged."""
    wanted = {
        "status": (given.status or JobStatus(row.status)).value,
        "progress": max(row.progress, given.progress or 0),
        "result_data": row.result_data | (given.result_data or {}),
        "error_message": given.error_message or row.error_message,
    }
    size = len(json.dumps(wanted["result_data"]))
    if size > RESULT_CHARS:
        detail = f"result_data: {size} characters of JSON together, at most {RESULT_CHARS} are kept"
        raise ApiProblem(422, "Invalid", detail, field="result_data")
    return {name: value for name, value in wanted.items() if value != getattr(row, name)}
