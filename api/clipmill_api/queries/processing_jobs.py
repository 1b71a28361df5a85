"""SQL of the migration guide's processing jobs."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from clipmill_api.tables import ProcessingJobRow


def by_external_id(
    session: Session, compilation_id: str, external_id: str
) -> ProcessingJobRow | None:
    """A job found again by its caller's own id."""
    same = (
        ProcessingJobRow.compilation_id == compilation_id,
        ProcessingJobRow.external_id == external_id,
    )
    return session.scalars(select(ProcessingJobRow).where(*same)).one_or_none()


def add(session: Session, row: ProcessingJobRow) -> None:
    """Keep a job. Raises IntegrityError when another request was first."""
    session.add(row)
    session.flush()


def by_id(
    session: Session, compilation_id: str, job_id: str, *, lock: bool = False
) -> ProcessingJobRow | None:
    """A job of this compilation; held until the transaction ends when asked."""
    mine = select(ProcessingJobRow).where(
        ProcessingJobRow.id == job_id, ProcessingJobRow.compilation_id == compilation_id
    )
    return session.scalars(mine.with_for_update() if lock else mine).one_or_none()
