"""Store webhooks of owners, with URL and secret encrypted."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field

from clipmill.protocol.integrations.webhook_models import (
    EventType,
    StoredWebhook,
    WebhookRequest,
    WebhookView,
)
from clipmill.spec.target_addresses import ForbiddenTarget
from clipmill_api.context import Context
from clipmill_api.credentials.credential_store import require_keys
from clipmill_api.credentials.keyring import Sealed
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.notifications.webhook_targets import WebhookTarget, check_webhook_url
from clipmill_api.queries import quota_ledger
from clipmill_api.queries.integrations import notification_outbox, webhook_rows
from clipmill_api.tables import WebhookRow
from clipmill_api.timestamps import format_time

MAX_WEBHOOKS = 20
SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What a webhook's row holds encrypted."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


def put_webhook(
    session: Session, ctx: Context, owner: str, name: str, request: WebhookRequest
) -> StoredWebhook:
    """Create a webhook, or change its URL and events. Its secret stays the same.

    Raises:
        ApiProblem: ForbiddenTarget, WebhookLimit or CredentialsDisabled.
    """
    require_keys(ctx)
    target = _target(ctx, request.url.get_secret_value())
    quota_ledger.lock_owner(session, owner)
    row = webhook_rows.find_webhook(session, owner, name, lock=True)
    is_new = row is None
    if row is None:
        _refuse_too_many(session, owner)
        row = WebhookRow(owner=owner, name=name, created_at=ctx.now(), gone_count=0)
        secret = _new_secret()
    else:
        secret = open_webhook(ctx, row).secret
    row.events = [event.value for event in dict.fromkeys(request.events)]
    row.target = target.shown[:255]
    seal_webhook(ctx, row, WebhookSecrets(target.url, secret))
    webhook_rows.add_webhook(session, row)
    shown = secret if is_new and not target.is_apprise else None
    return StoredWebhook.model_validate({**webhook_view(row).model_dump(), "secret": shown})


def _target(ctx: Context, url: str) -> WebhookTarget:
    try:
        return check_webhook_url(url, private=ctx.settings.allow_private_webhooks)
    except ForbiddenTarget as error:
        raise ApiProblem(422, "ForbiddenTarget", f"url: {error}", field="url") from None


def _refuse_too_many(session: Session, owner: str) -> None:
    if webhook_rows.count_webhooks(session, owner) >= MAX_WEBHOOKS:
        detail = f"webhooks: an owner may have {MAX_WEBHOOKS}; delete one first"
        raise ApiProblem(403, "WebhookLimit", detail, limit=MAX_WEBHOOKS)


def _new_secret() -> str:
    """Return a secret in the form of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def seal_webhook(ctx: Context, row: WebhookRow, values: WebhookSecrets) -> None:
    """Encrypt URL and secret into a row."""
    text = json.dumps({"url": values.url, "secret": values.secret})
    sealed = ctx.keyring.seal(text, _context_of(row))
    row.key_id, row.sealed = sealed.key_id, sealed.content


def open_webhook(ctx: Context, row: WebhookRow) -> WebhookSecrets:
    """Decrypt URL and secret. Raise UnknownKey or DamagedSecret."""
    return WebhookSecrets(
        **json.loads(ctx.keyring.open(Sealed(row.key_id, row.sealed), _context_of(row)))
    )


def _context_of(row: WebhookRow) -> tuple[object, ...]:
    return ("webhook", row.owner, row.name)


def require_webhook(session: Session, owner: str, name: str, *, lock: bool = False) -> WebhookRow:
    """Return a webhook of an owner. Raise NotFound."""
    row = webhook_rows.find_webhook(session, owner, name, lock=lock)
    if row is None:
        raise not_found("webhook", name)
    return row


def enable_webhook(session: Session, owner: str, name: str) -> WebhookView:
    """Deliver to a webhook again that was disabled after failures. Raise NotFound."""
    row = require_webhook(session, owner, name, lock=True)
    row.disabled_at = row.disabled_reason = row.failing_since = None
    row.gone_count = 0
    return webhook_view(row)


def disable_webhook(session: Session, ctx: Context, row: WebhookRow, reason: str) -> None:
    """Deliver nothing to a webhook any more, and say why."""
    row.disabled_at, row.disabled_reason = ctx.now(), reason
    notification_outbox.cancel_pending(session, row.owner, row.name)


def webhook_view(row: WebhookRow) -> WebhookView:
    """Return a webhook without its secrets."""
    times = {
        name: format_time(at) if (at := getattr(row, name)) else None
        for name in ("last_delivered_at", "failing_since", "disabled_at")
    }
    return WebhookView.model_validate(
        {
            "name": row.name,
            "target": row.target,
            "events": [EventType(event) for event in row.events],
            "created_at": format_time(row.created_at),
            "disabled_reason": row.disabled_reason,
            **times,
        }
    )
