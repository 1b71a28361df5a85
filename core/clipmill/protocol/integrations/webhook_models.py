"""Webhooks of an owner, and the log of their deliveries. No view shows a target's secret."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from clipmill.protocol.integrations.credential_models import SecretText
from clipmill.spec.base import Model, Name

MAX_EVENTS = 20


class EventType(StrEnum):
    """What an owner can be notified of."""

    ACCEPTED = "compilation.accepted"
    DRAFT_READY = "compilation.draft_ready"
    SUCCEEDED = "compilation.succeeded"
    DEGRADED = "compilation.degraded"
    FAILED = "compilation.failed"
    REFUSED = "compilation.refused"
    EPISODE_SKIPPED = "episode.skipped"
    QUOTA = "quota.at_80_percent"
    TEST = "webhook.test"


Events = Annotated[
    list[EventType],
    Field(min_length=1, max_length=MAX_EVENTS, description="Types of events to deliver."),
]


class WebhookRequest(Model):
    """A webhook to create or change."""

    url: SecretText = Field(
        min_length=1,
        max_length=2000,
        description="https:// URL of a receiver, or the Apprise address of a chat or of mail.",
    )
    events: Events


class WebhookView(Model):
    """A webhook without its secrets."""

    name: Name
    target: str = Field(description="Scheme and host of the URL; for Apprise, the scheme.")
    events: list[EventType]
    created_at: str
    last_delivered_at: str | None = None
    failing_since: str | None = Field(None, description="First failure since the last success.")
    disabled_at: str | None = None
    disabled_reason: str | None = Field(None, description="Why nothing is delivered any more.")


class StoredWebhook(WebhookView):
    """A webhook as it was stored. The secret is returned once, by the call that creates it."""

    secret: SecretText | None = Field(
        None, description="whsec_...: verifies signatures. Absent after a change, and for Apprise."
    )


class NotificationState(StrEnum):
    """Whether a notification is still to be delivered."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryAttempt(Model):
    """One attempt to deliver a notification."""

    at: str
    duration_ms: int
    status: int | None = Field(None, description="HTTP status; absent without a response.")
    error: str | None = None


class NotificationView(Model):
    """A notification to one webhook, with its attempts."""

    id: str = Field(description="The header `webhook-id`, the same for each attempt.")
    type: EventType
    state: NotificationState
    created_at: str
    next_attempt_at: str | None = None
    attempts: list[DeliveryAttempt] = []
