"""Routes for webhooks and their deliveries. No response holds a URL."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from clipmill.protocol.integrations.webhook_models import (
    NotificationView,
    StoredWebhook,
    WebhookRequest,
    WebhookView,
)
from clipmill.spec import Id, Name
from clipmill_api.context import Ctx
from clipmill_api.credentials.credential_store import require_keys
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.problem_details import not_found
from clipmill_api.notifications import delivery_log, webhook_store
from clipmill_api.queries.integrations import webhook_rows

router = APIRouter(route_class=YamlRoute, prefix="/api/webhooks", tags=["webhooks"])
WebhookName = Annotated[Name, Path(description="Name of the webhook.")]


@router.get("")
def list_webhooks(ctx: Ctx, principal: UserPrincipal) -> list[WebhookView]:
    """Return your webhooks by name, with the reason why one is disabled."""
    require_keys(ctx)
    with ctx.db.read() as session:
        rows = webhook_rows.list_webhooks(session, principal.owner)
        return [webhook_store.webhook_view(row) for row in rows]


@router.put("/{name}")
def put_webhook(
    ctx: Ctx, principal: UserPrincipal, name: WebhookName, request: WebhookRequest
) -> StoredWebhook:
    """Create a webhook, or change its URL and events. Only the creation returns the secret."""
    return ctx.db.write(
        lambda session: webhook_store.put_webhook(session, ctx, principal.owner, name, request)
    )


@router.delete("/{name}", status_code=204)
def delete_webhook(ctx: Ctx, principal: UserPrincipal, name: WebhookName) -> None:
    """Delete a webhook with its log; what is pending is not delivered any more."""
    if not ctx.db.write(lambda s: webhook_rows.delete_webhook(s, principal.owner, name)):
        raise not_found("webhook", name)


@router.post("/{name}/enable")
def enable_webhook(ctx: Ctx, principal: UserPrincipal, name: WebhookName) -> WebhookView:
    """Deliver again to a webhook that was disabled after failures."""
    return ctx.db.write(lambda s: webhook_store.enable_webhook(s, principal.owner, name))


@router.post("/{name}/test", status_code=202)
def test_webhook(ctx: Ctx, principal: UserPrincipal, name: WebhookName) -> NotificationView:
    """Send the event webhook.test."""
    require_keys(ctx)
    return ctx.db.write(lambda session: delivery_log.add_test(session, ctx, principal.owner, name))


@router.get("/{name}/deliveries")
def list_deliveries(
    ctx: Ctx,
    principal: UserPrincipal,
    name: WebhookName,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[NotificationView]:
    """Return notifications with their attempts, newest first."""
    require_keys(ctx)
    with ctx.db.read() as session:
        return delivery_log.list_views(session, principal.owner, name, limit)


@router.post("/{name}/deliveries/{notification_id}/replay", status_code=202)
def replay_delivery(
    ctx: Ctx, principal: UserPrincipal, name: WebhookName, notification_id: Id
) -> NotificationView:
    """Send a notification again, with the same id and content."""
    require_keys(ctx)
    return ctx.db.write(
        lambda session: delivery_log.replay(session, ctx, principal.owner, name, notification_id)
    )
