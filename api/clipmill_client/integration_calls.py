"""Calls for the credentials and the webhooks of the caller."""

from __future__ import annotations

import builtins

from clipmill.protocol.integrations.credential_models import Credential, CredentialView
from clipmill.protocol.integrations.webhook_models import (
    NotificationView,
    StoredWebhook,
    WebhookRequest,
    WebhookView,
)
from clipmill_client.api_connection import ApiConnection


class CredentialCalls:
    """Calls for credentials: values are sent, and never returned."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def list(self) -> list[CredentialView]:
        """Return names, kinds, hosts and last use."""
        return self._connection.request_as(list[CredentialView], "GET", "/api/credentials")

    def put(self, name: str, credential: Credential) -> CredentialView:
        """Create or replace a credential."""
        path = f"/api/credentials/{name}"
        return self._connection.request_as(CredentialView, "PUT", path, body=credential)

    def delete(self, name: str) -> None:
        """Delete a credential."""
        self._connection.request("DELETE", f"/api/credentials/{name}")


class WebhookCalls:
    """Calls for webhooks and their deliveries."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def list(self) -> list[WebhookView]:
        """Return webhooks by name."""
        return self._connection.request_as(list[WebhookView], "GET", "/api/webhooks")

    def put(self, name: str, request: WebhookRequest) -> StoredWebhook:
        """Create or change a webhook. Only the first reply to its creation holds the secret."""
        path = f"/api/webhooks/{name}"
        return self._connection.request_as(StoredWebhook, "PUT", path, body=request)

    def delete(self, name: str) -> None:
        """Delete a webhook with its log."""
        self._connection.request("DELETE", f"/api/webhooks/{name}")

    def enable(self, name: str) -> WebhookView:
        """Deliver again to a webhook that was disabled."""
        return self._connection.request_as(WebhookView, "POST", f"/api/webhooks/{name}/enable")

    def test(self, name: str) -> NotificationView:
        """Send the event webhook.test."""
        return self._connection.request_as(NotificationView, "POST", f"/api/webhooks/{name}/test")

    def deliveries(self, name: str, limit: int = 50) -> builtins.list[NotificationView]:
        """Return notifications with their attempts, newest first."""
        path, params = f"/api/webhooks/{name}/deliveries", {"limit": limit}
        kind = builtins.list[NotificationView]
        return self._connection.request_as(kind, "GET", path, params=params)

    def replay(self, name: str, notification_id: str) -> NotificationView:
        """Send a notification again, with the same id and content."""
        path = f"/api/webhooks/{name}/deliveries/{notification_id}/replay"
        return self._connection.request_as(NotificationView, "POST", path)
