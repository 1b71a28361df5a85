"""The log of a webhook: notifications with their attempts, tests and replays."""

from __future__ import annotations

from collections.abc import Sequence

from clipmill.protocol.integrations.webhook_models import (
    DeliveryAttempt,
    EventType,
    NotificationState,
    NotificationView,
)
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.notifications import outbox
from clipmill_api.notifications.retry_policy import LIFETIME
from clipmill_api.notifications.webhook_store import require_webhook
from clipmill_api.queries.integrations import notification_outbox
from clipmill_api.tables import DeliveryRow, NotificationRow, WebhookRow
from clipmill_api.timestamps import format_time


def list_views(session: Session, owner: str, name: str, limit: int) -> list[NotificationView]:
    """Return notifications to a webhook with their attempts, newest first. Raise NotFound."""
    require_webhook(session, owner, name)
    rows = notification_outbox.list_notifications(session, owner, name, limit)
    attempts = notification_outbox.attempts_of(session, [row.id for row in rows])
    return [_view(row, attempts[row.id]) for row in rows]


def add_test(session: Session, ctx: Context, owner: str, name: str) -> NotificationView:
    """Add the event webhook.test, whichever events the webhook lists. Raise NotFound."""
    webhook = require_webhook(session, owner, name)
    _refuse_disabled(webhook)
    data = {"owner": owner, "name": name}
    event = outbox.OwnerEvent(EventType.TEST, data, new_id("t"))
    notification_id = outbox.add_notification(session, ctx, webhook, event)
    return _find_view(session, owner, name, notification_id)


def replay(
    session: Session, ctx: Context, owner: str, name: str, notification_id: str
) -> NotificationView:
    """Make a notification due again for a day. Raise NotFound or WebhookDisabled."""
    _refuse_disabled(require_webhook(session, owner, name))
    row = notification_outbox.find_notification(session, owner, name, notification_id)
    if row is None:
        raise not_found("notification", notification_id)
    if row.next_attempt_at is None:
        row.state, row.next_attempt_at = NotificationState.PENDING.value, ctx.now()
        row.expires_at = ctx.now() + LIFETIME
    return _find_view(session, owner, name, notification_id)


def _refuse_disabled(webhook: WebhookRow) -> None:
    if webhook.disabled_at:
        detail = f"webhook {webhook.name!r} is disabled: {webhook.disabled_reason}; enable it first"
        raise ApiProblem(409, "WebhookDisabled", detail)


def _find_view(session: Session, owner: str, name: str, notification_id: str) -> NotificationView:
    row = notification_outbox.find_notification(session, owner, name, notification_id)
    if row is None:
        raise not_found("notification", notification_id)
    return _view(row, notification_outbox.attempts_of(session, [row.id])[row.id])


def _view(row: NotificationRow, attempts: Sequence[DeliveryRow]) -> NotificationView:
    return NotificationView(
        id=row.id,
        type=EventType(row.type),
        state=NotificationState(row.state),
        created_at=format_time(row.created_at),
        next_attempt_at=format_time(row.next_attempt_at) if row.next_attempt_at else None,
        attempts=[
            DeliveryAttempt(
                at=format_time(attempt.at),
                duration_ms=attempt.duration_ms,
                status=attempt.status,
                error=attempt.error,
            )
            for attempt in attempts
        ],
    )
