"""SQL of the deliveries of results: an outbox with leases, and the result of each file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select, tuple_, update
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import row_count
from clipmill_api.tables import ResultDeliveryRow, RevisionRow

Generation = tuple[str, int]  # id of a compilation, and one of its generations


def add_deliveries(session: Session, rows: Sequence[ResultDeliveryRow]) -> None:
    """Insert the deliveries of a generation."""
    session.add_all(rows)
    session.flush()


def has_due(session: Session, now: datetime) -> bool:
    """Return whether a delivery is due."""
    due = select(ResultDeliveryRow.id).where(ResultDeliveryRow.next_attempt_at <= now)
    return session.scalar(due.limit(1)) is not None


def claim_due(
    session: Session, now: datetime, until: datetime, busy: Collection[str]
) -> ResultDeliveryRow | None:
    """Lease the delivery that is due for longest, of an owner to whom none is being sent."""
    query = (
        select(ResultDeliveryRow)
        .where(ResultDeliveryRow.next_attempt_at <= now, ResultDeliveryRow.owner.not_in(busy))
        .order_by(ResultDeliveryRow.next_attempt_at, ResultDeliveryRow.filename)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalars(query).one_or_none()
    if row is not None:
        row.next_attempt_at, row.attempts = until, row.attempts + 1
    return row


def finish_attempt(session: Session, row: ResultDeliveryRow, **values: Any) -> bool:
    """Store the result of an attempt. Return False if another sender has taken over since."""
    current = update(ResultDeliveryRow).where(
        ResultDeliveryRow.id == row.id, ResultDeliveryRow.attempts == row.attempts
    )
    return row_count(session.execute(current.values(**values))) > 0


def deliveries_of(
    session: Session, generations: Collection[Generation]
) -> dict[Generation, list[ResultDeliveryRow]]:
    """Return the deliveries of generations that have any, by file name."""
    key = tuple_(ResultDeliveryRow.compilation_id, ResultDeliveryRow.generation)
    query = select(ResultDeliveryRow).where(key.in_(generations))
    deliveries: dict[Generation, list[ResultDeliveryRow]] = {}
    for row in session.scalars(query.order_by(ResultDeliveryRow.filename)):
        deliveries.setdefault((row.compilation_id, row.generation), []).append(row)
    return deliveries


def delete_without_revision(session: Session, before: datetime) -> int:
    """Delete deliveries of before a time whose generation is gone."""
    gone = ~exists().where(
        ResultDeliveryRow.compilation_id == RevisionRow.compilation_id,
        ResultDeliveryRow.generation == RevisionRow.generation,
    )
    rows = delete(ResultDeliveryRow).where(ResultDeliveryRow.created_at < before, gone)
    return row_count(session.execute(rows, execution_options={"synchronize_session": False}))
