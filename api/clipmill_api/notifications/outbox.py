"""Write notifications in the transaction of the change that they report."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clipmill.protocol import CompilationState, OutputResult, Registration
from clipmill.protocol.integrations.webhook_models import EventType, NotificationState
from clipmill.spec import CompilationSpec
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.notifications.retry_policy import LIFETIME
from clipmill_api.queries.integrations import notification_outbox, webhook_rows
from clipmill_api.tables import CompilationRow, NotificationRow, WebhookRow
from clipmill_api.timestamps import format_time

QUOTA_SHARE = 0.8
# Longer texts of programs are cut, so that a notification stays small.
MAX_MESSAGE_CHARS = 1000


@dataclass(frozen=True, slots=True)
class OwnerEvent:
    """Something to notify of. The same dedupe key again adds nothing.

    `names` are the webhooks of a spec; None means all that list the type.
    """

    type: EventType
    data: Mapping[str, Any]
    dedupe_key: str
    names: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class CompilationEnd:
    """How a generation ended: its event, and state, reason, message and outputs as `outcome`."""

    generation: int
    type: EventType
    outcome: Mapping[str, Any]
    names: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class SkippedEpisode:
    """An episode that was not created: a PascalCase reason such as TooFewClips, and a sentence."""

    show: str
    scheduled_at: datetime
    reason: str
    message: str
    names: Collection[str] | None = None


def notify(session: Session, ctx: Context, owner: str, event: OwnerEvent) -> None:
    """Add a notification for each enabled webhook of the owner that lists the event.

    It belongs into the transaction of the change, so that neither is stored without the other.
    """
    for row in webhook_rows.list_webhooks(session, owner):
        if row.disabled_at or event.type.value not in row.events:
            continue
        if event.names is None or row.name in event.names:
            add_notification(session, ctx, row, event)


def add_notification(session: Session, ctx: Context, webhook: WebhookRow, event: OwnerEvent) -> str:
    """Add a notification for one webhook and return its id."""
    now = ctx.now()
    body = {"type": event.type.value, "timestamp": format_time(now), "data": dict(event.data)}
    row = NotificationRow(
        id=new_id("n"),
        owner=webhook.owner,
        webhook=webhook.name,
        type=event.type.value,
        dedupe_key=f"{event.type.value} {event.dedupe_key}"[:255],
        payload=json.dumps(body, ensure_ascii=False),
        state=NotificationState.PENDING.value,
        attempts=0,
        created_at=now,
        expires_at=now + LIFETIME,
        next_attempt_at=now,
    )
    notification_outbox.add_notification(session, row)
    return row.id


def require_webhooks(session: Session, owner: str, names: Collection[str]) -> None:
    """Raise UnknownWebhook unless the owner has webhooks of these names."""
    existing = {row.name for row in webhook_rows.list_webhooks(session, owner)} if names else set()
    for name in names:
        if name not in existing:
            detail = f"spec.notify: owner {owner!r} has no webhook {name!r}"
            raise ApiProblem(422, "UnknownWebhook", detail, field="spec.notify", webhook=name)


def compilation_accepted(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    generation: int,
    spec: CompilationSpec,
) -> None:
    """Notify that a generation was accepted."""
    data = _compilation_data(ctx, compilation, generation, CompilationState.PENDING.value)
    event = OwnerEvent(EventType.ACCEPTED, data, f"{compilation.id} {generation}", spec.notify)
    notify(session, ctx, compilation.owner, event)


def compilation_ended(
    session: Session, ctx: Context, compilation: CompilationRow, end: CompilationEnd
) -> None:
    """Notify of the end of a generation."""
    outcome = end.outcome
    data = _compilation_data(ctx, compilation, end.generation, outcome["state"])
    outputs = [_output_data(ctx, compilation, output) for output in outcome.get("outputs", ())]
    message = str(outcome.get("message") or "")[:MAX_MESSAGE_CHARS]
    data |= {"reason": outcome.get("reason"), "message": message or None, "outputs": outputs}
    event = OwnerEvent(end.type, data, f"{compilation.id} {end.generation}", end.names)
    notify(session, ctx, compilation.owner, event)


def compilation_refused(
    session: Session, ctx: Context, uid: str, registration: Registration, problem: ApiProblem
) -> None:
    """Notify that a generation of a resource was refused, once for each reason."""
    data = {
        "owner": registration.owner,
        "namespace": registration.namespace,
        "name": registration.name,
        "generation": registration.generation,
        "reason": problem.code,
        "message": problem.detail[:MAX_MESSAGE_CHARS],
    }
    key = f"{uid} {registration.generation} {problem.code}"
    event = OwnerEvent(EventType.REFUSED, data, key, registration.spec.notify)
    notify(session, ctx, registration.owner, event)


def episode_skipped(session: Session, ctx: Context, owner: str, episode: SkippedEpisode) -> None:
    """Notify that an episode of a show was skipped, once for each scheduled time.

    It belongs into the transaction that records the skipped time.
    """
    at = format_time(episode.scheduled_at)
    data = {
        "owner": owner,
        "show": episode.show,
        "scheduledAt": at,
        "reason": episode.reason,
        "message": episode.message[:MAX_MESSAGE_CHARS],
    }
    event = OwnerEvent(EventType.EPISODE_SKIPPED, data, f"{episode.show} {at}", episode.names)
    notify(session, ctx, owner, event)


def quota_used(
    session: Session, ctx: Context, owner: str, *, quota: str, used: int, limit: int | None
) -> None:
    """Notify once a month that 80 % of a quota are used or reserved.

    Args:
        session: The transaction that uses it.
        ctx: The API.
        owner: The owner.
        quota: renderSeconds or storageBytes.
        used: What is used and reserved.
        limit: The limit; None for no limit.
    """
    if not limit or used < QUOTA_SHARE * limit:
        return
    month = ctx.month()
    data = {"owner": owner, "quota": quota, "used": used, "limit": limit, "month": month}
    notify(session, ctx, owner, OwnerEvent(EventType.QUOTA, data, f"{quota} {month}"))


def _compilation_data(
    ctx: Context, compilation: CompilationRow, generation: int, state: str
) -> dict[str, Any]:
    return {
        "id": compilation.id,
        "name": compilation.name,
        "namespace": compilation.namespace,
        "owner": compilation.owner,
        "generation": generation,
        "state": state,
        "url": _link(ctx, f"/api/compilations/{compilation.id}"),
    }


def _output_data(ctx: Context, compilation: CompilationRow, output: OutputResult) -> dict[str, Any]:
    path = f"/api/compilations/{compilation.id}/outputs/{output.name}.{output.container}"
    return {"name": output.name, "mediaId": output.media_id, "url": _link(ctx, path)}


def _link(ctx: Context, path: str) -> str:
    """Return a path with the public URL before it, if the settings have one."""
    return f"{ctx.settings.public_url.rstrip('/')}{path}"
