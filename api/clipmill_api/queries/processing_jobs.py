"""SQL of the processing jobs of the legacy worker API."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from clipmill_api.tables import ProcessingJobRow

_OF_EXTERNAL_ID = select(ProcessingJobRow).where(
    ProcessingJobRow.compilation_id == bindparam("of_compilation"),
    ProcessingJobRow.external_id == bindparam("of_external_id"),
)
_OF_ID = select(ProcessingJobRow).where(
    ProcessingJobRow.id == bindparam("of_id"),
    ProcessingJobRow.compilation_id == bindparam("of_compilation"),
)
_OF_ID_LOCKED = _OF_ID.with_for_update()


def find_by_external_id(
    session: Session, compilation_id: str, external_id: str
) -> ProcessingJobRow | None:
    """Return a job by its caller's own id."""
    values = {"of_compilation": compilation_id, "of_external_id": external_id}
    return session.scalars(_OF_EXTERNAL_ID, values).one_or_none()


def add_job(session: Session, job: ProcessingJobRow) -> None:
    """Insert a job. Raise IntegrityError if another request was first."""
    session.add(job)
    session.flush()


def find_job(
    session: Session, compilation_id: str, job_id: str, *, lock: bool = False
) -> ProcessingJobRow | None:
    """Return a job of this compilation, locked until the transaction ends if asked."""
    values = {"of_id": job_id, "of_compilation": compilation_id}
    return session.scalars(_OF_ID_LOCKED if lock else _OF_ID, values).one_or_none()
