"""SQL of notifications: the outbox, its leases, and the log of deliveries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import row_count, upsert
from clipmill_api.tables import DeliveryRow, NotificationRow

Target = tuple[str, str]  # owner and name of a webhook


def add_notification(session: Session, row: NotificationRow) -> None:
    """Insert a notification, unless its webhook has one of this dedupe key."""
    columns = NotificationRow.__table__.columns.keys()
    values = {name: getattr(row, name) for name in columns}
    statement = upsert(session, NotificationRow).values(**values)
    session.execute(statement.on_conflict_do_nothing())


def find_notification(
    session: Session, owner: str, webhook: str, notification_id: str
) -> NotificationRow | None:
    """Return a notification to a webhook of an owner, locked until the transaction ends."""
    row = session.get(NotificationRow, notification_id, with_for_update=True)
    return row if row and (row.owner, row.webhook) == (owner, webhook) else None


def has_due(session: Session, now: datetime) -> bool:
    """Return whether a notification is due."""
    query = select(NotificationRow.id).where(NotificationRow.next_attempt_at <= now).limit(1)
    return session.scalar(query) is not None


def claim_due(
    session: Session, now: datetime, until: datetime, *, limit: int, busy: Collection[Target]
) -> list[NotificationRow]:
    """Lease due notifications of different webhooks, so that none waits behind another one.

    Args:
        session: The transaction.
        now: The current time.
        until: When another sender may take them over.
        limit: How many to lease at most.
        busy: Webhooks that are being sent to.
    """
    due = NotificationRow.next_attempt_at <= now
    first = (
        select(
            NotificationRow.owner,
            NotificationRow.webhook,
            func.min(NotificationRow.next_attempt_at).label("at"),
        )
        .where(due)
        .group_by(NotificationRow.owner, NotificationRow.webhook)
        .order_by("at")
        .limit(limit + len(busy))
    )
    targets = [(owner, name) for owner, name, _ in session.execute(first)]
    free = [target for target in targets if target not in busy][:limit]
    claimed = [_claim_of(session, owner, name, now, until) for owner, name in free]
    return [row for row in claimed if row]


def _claim_of(
    session: Session, owner: str, webhook: str, now: datetime, until: datetime
) -> NotificationRow | None:
    of_webhook = and_(NotificationRow.owner == owner, NotificationRow.webhook == webhook)
    query = (
        select(NotificationRow)
        .where(of_webhook, NotificationRow.next_attempt_at <= now)
        .order_by(NotificationRow.next_attempt_at, NotificationRow.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalars(query).one_or_none()
    if row is not None:
        row.next_attempt_at, row.attempts = until, row.attempts + 1
    return row


def finish_attempt(
    session: Session,
    notification_id: str,
    *,
    attempts: int,
    state: str,
    next_attempt_at: datetime | None,
) -> bool:
    """Store the result of an attempt. Return False if another sender has taken over since."""
    row = update(NotificationRow).where(
        NotificationRow.id == notification_id, NotificationRow.attempts == attempts
    )
    values = {"state": state, "next_attempt_at": next_attempt_at}
    return row_count(session.execute(row.values(**values))) > 0


def add_delivery(session: Session, row: DeliveryRow) -> None:
    """Insert an attempt."""
    session.add(row)


def list_notifications(
    session: Session, owner: str, webhook: str, limit: int
) -> list[NotificationRow]:
    """Return notifications to a webhook, newest first."""
    query = (
        select(NotificationRow)
        .where(NotificationRow.owner == owner, NotificationRow.webhook == webhook)
        .order_by(NotificationRow.created_at.desc(), NotificationRow.id)
    )
    return list(session.scalars(query.limit(limit)))


def attempts_of(session: Session, ids: Sequence[str]) -> dict[str, list[DeliveryRow]]:
    """Return the attempts of notifications, oldest first."""
    query = select(DeliveryRow).where(DeliveryRow.notification_id.in_(ids))
    attempts: dict[str, list[DeliveryRow]] = {notification_id: [] for notification_id in ids}
    for row in session.scalars(query.order_by(DeliveryRow.id)):
        attempts[row.notification_id].append(row)
    return attempts


def cancel_pending(session: Session, owner: str, webhook: str) -> None:
    """Give up the pending notifications of a webhook."""
    rows = update(NotificationRow).where(
        NotificationRow.owner == owner,
        NotificationRow.webhook == webhook,
        NotificationRow.next_attempt_at.is_not(None),
    )
    values = rows.values(state="failed", next_attempt_at=None)
    session.execute(values, execution_options={"synchronize_session": False})
