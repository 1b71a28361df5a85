"""SQL of the processing jobs of the legacy worker API."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from clipmill_api.tables import ProcessingJobRow


def find_by_external_id(
    session: Session, compilation_id: str, external_id: str
) -> ProcessingJobRow | None:
    """Return a job by its caller's own id."""
    query = select(ProcessingJobRow).where(
        ProcessingJobRow.compilation_id == compilation_id,
        ProcessingJobRow.external_id == external_id,
    )
    return session.scalars(query).one_or_none()


def add_job(session: Session, job: ProcessingJobRow) -> None:
    """Insert a job. Raise IntegrityError if another request was first."""
    session.add(job)
    session.flush()


def find_job(
    session: Session, compilation_id: str, job_id: str, *, lock: bool = False
) -> ProcessingJobRow | None:
    """Return a job of this compilation, locked until the transaction ends if asked."""
    query = select(ProcessingJobRow).where(
        ProcessingJobRow.id == job_id, ProcessingJobRow.compilation_id == compilation_id
    )
    return session.scalars(query.with_for_update() if lock else query).one_or_none()
