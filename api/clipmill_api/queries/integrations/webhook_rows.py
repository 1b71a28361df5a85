"""SQL of webhooks."""

from __future__ import annotations

from sqlalchemy import case, delete, func, select
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import row_count
from clipmill_api.tables import DeliveryRow, NotificationRow, WebhookRow

# Of a session's info: webhooks that were read, by their owner.
_READ = "webhooks"


def find_webhook(
    session: Session, owner: str, name: str, *, lock: bool = False
) -> WebhookRow | None:
    """Return a webhook of an owner, locked until the transaction ends if `lock`."""
    return session.get(WebhookRow, (owner, name), with_for_update=lock or None)


def list_webhooks(session: Session, owner: str) -> list[WebhookRow]:
    """Return the webhooks of an owner by name. They are read once in a transaction."""
    read: dict[str, list[WebhookRow]] = session.info.setdefault(_READ, {})
    if owner not in read:
        query = select(WebhookRow).where(WebhookRow.owner == owner).order_by(WebhookRow.name)
        read[owner] = list(session.scalars(query))
    return list(read[owner])


def count_webhooks(session: Session, owner: str) -> int:
    """Return how many webhooks an owner has."""
    query = select(func.count()).select_from(WebhookRow).where(WebhookRow.owner == owner)
    return session.execute(query).scalar_one()


def add_webhook(session: Session, row: WebhookRow) -> None:
    """Insert a webhook."""
    session.info.pop(_READ, None)
    session.add(row)
    session.flush()


def delete_webhook(session: Session, owner: str, name: str) -> bool:
    """Delete a webhook with its notifications. Return False if there was none."""
    session.info.pop(_READ, None)
    of_webhook = (NotificationRow.owner == owner, NotificationRow.webhook == name)
    ids = select(NotificationRow.id).where(*of_webhook)
    no_sync = {"synchronize_session": False}
    attempts = delete(DeliveryRow).where(DeliveryRow.notification_id.in_(ids))
    session.execute(attempts, execution_options=no_sync)
    session.execute(delete(NotificationRow).where(*of_webhook), execution_options=no_sync)
    rows = delete(WebhookRow).where(WebhookRow.owner == owner, WebhookRow.name == name)
    return row_count(session.execute(rows)) > 0


def list_webhook_names(session: Session) -> list[tuple[str, str]]:
    """Return owner and name of every webhook."""
    query = select(WebhookRow.owner, WebhookRow.name)
    return [(owner, name) for owner, name in session.execute(query)]


def count_by_health(session: Session) -> dict[str, int]:
    """Return how many webhooks are working, failing and disabled."""
    health = case(
        (WebhookRow.disabled_at.is_not(None), "disabled"),
        (WebhookRow.failing_since.is_not(None), "failing"),
        else_="working",
    )
    rows = session.execute(select(health, func.count()).group_by(health))
    return {"working": 0, "failing": 0, "disabled": 0} | {row[0]: row[1] for row in rows}
