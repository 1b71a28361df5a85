"""Deliver notifications from the outbox, at least once, beside other replicas.

A sender leases a notification before it sends it. If it ends before it has stored the result,
another one sends the same notification again once the lease is over, with the same id.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi.concurrency import run_in_threadpool

from clipmill import fault_points
from clipmill.protocol.integrations.webhook_models import NotificationState
from clipmill_api.context import Context
from clipmill_api.credentials.keyring import DamagedSecret, UnknownKey
from clipmill_api.database import UNAVAILABLE, Session, after_commit
from clipmill_api.notifications import retry_policy, webhook_store
from clipmill_api.notifications.apprise_process import send_by_apprise
from clipmill_api.notifications.webhook_store import WebhookSecrets
from clipmill_api.notifications.webhook_targets import APPRISE_SCHEMES
from clipmill_api.notifications.webhook_transport import Attempt, new_http_client, send
from clipmill_api.queries.integrations import notification_outbox, webhook_rows
from clipmill_api.tables import DeliveryRow, NotificationRow, WebhookRow

log = logging.getLogger(__name__)
INTERVAL_S = 1.0
MAX_IN_FLIGHT = 8
# Longer than an attempt may take.
LEASE_S = 90
SENT = "api.notification.sent"


class NotificationSender:
    """Sends what is due: one notification to a webhook, and some webhooks, at a time."""

    def __init__(self, ctx: Context, *, interval_s: float = INTERVAL_S) -> None:
        self._ctx = ctx
        self._interval_s = interval_s
        self._http: httpx.AsyncClient | None = None
        self._busy: dict[tuple[str, str], asyncio.Task[None]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the context is open. What is being sent at its end is sent again later."""
        loop = asyncio.create_task(self._send_forever())
        try:
            yield
        finally:
            tasks = [loop, *self._busy.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._http is not None:
                await self._http.aclose()

    async def _send_forever(self) -> None:
        while True:
            started = 0
            try:
                started = await self._start_due()
            except UNAVAILABLE as error:
                log.warning("notifications not read error=%s", type(error).__name__)
            except Exception:
                # A failed round must not end the sender; the next one may succeed.
                log.exception("notifications not sent")
            await self._wait(0 if started else self._interval_s)

    async def _wait(self, seconds: float) -> None:
        """Wait for a webhook to be free, or for some seconds."""
        if len(self._busy) >= MAX_IN_FLIGHT or (self._busy and not seconds):
            await asyncio.wait(
                list(self._busy.values()),
                timeout=self._interval_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        else:
            await asyncio.sleep(seconds)

    async def _start_due(self) -> int:
        free = MAX_IN_FLIGHT - len(self._busy)
        if free <= 0 or not self._ctx.keyring:
            return 0
        rows = await run_in_threadpool(self._claim, free)
        for row in rows:
            key = (row.owner, row.webhook)
            task = asyncio.create_task(self._deliver(row))
            self._busy[key] = task
            task.add_done_callback(lambda _, key=key: self._busy.pop(key, None))  # type: ignore[misc]
        return len(rows)

    def _claim(self, limit: int) -> list[NotificationRow]:
        now, until = self._ctx.now(), self._ctx.later(LEASE_S)
        busy = set(self._busy)
        with self._ctx.db.read() as session:
            if not notification_outbox.has_due(session, now):
                return []
        return self._ctx.db.write(
            lambda session: notification_outbox.claim_due(
                session, now, until, limit=limit, busy=busy
            )
        )

    async def _deliver(self, row: NotificationRow) -> None:
        began = time.monotonic()
        try:
            attempt = await self._send(row)
            fault_points.reach(SENT)
            duration_ms = round(1000 * (time.monotonic() - began))
            await run_in_threadpool(self._store, row, attempt, duration_ms)
        except UNAVAILABLE as error:
            log.warning("delivery not stored id=%s error=%s", row.id, type(error).__name__)
        except Exception:
            log.exception("delivery failed id=%s", row.id)

    async def _send(self, row: NotificationRow) -> Attempt:
        try:
            values = await run_in_threadpool(self._open, row)
        except UnknownKey as error:
            return Attempt(None, f"the key {str(error)!r} is not in CLIPMILL_CREDENTIAL_KEYS")
        except DamagedSecret:
            return Attempt(None, "the stored URL was changed; set the webhook again")
        private = self._ctx.settings.allow_private_webhooks
        if values.url.split(":", 1)[0].lower() in APPRISE_SCHEMES:
            return await send_by_apprise(values.url, row.payload, private)
        self._http = self._http or new_http_client()
        message = (row.id, row.payload)
        return await send(
            self._http,
            values.url,
            values.secret,
            message=message,
            at=self._ctx.now(),
            private=private,
        )

    def _open(self, row: NotificationRow) -> WebhookSecrets:
        with self._ctx.db.read() as session:
            webhook = webhook_rows.find_webhook(session, row.owner, row.webhook)
            if webhook is None:
                raise DamagedSecret
            return webhook_store.open_webhook(self._ctx, webhook)

    def _store(self, row: NotificationRow, attempt: Attempt, duration_ms: int) -> None:
        self._ctx.db.write(lambda session: self._store_in(session, row, attempt, duration_ms))

    def _store_in(
        self, session: Session, row: NotificationRow, attempt: Attempt, duration_ms: int
    ) -> None:
        now = self._ctx.now()
        delivery = DeliveryRow(
            notification_id=row.id,
            owner=row.owner,
            at=now,
            duration_ms=duration_ms,
            status=attempt.status,
            error=attempt.error,
        )
        again = None
        state = NotificationState.DELIVERED
        if not attempt.is_success:
            again = retry_policy.next_attempt(
                now,
                row.expires_at,
                attempts=row.attempts,
                random=random.random(),  # noqa: S311
            )
            state = NotificationState.PENDING if again else NotificationState.FAILED
        webhook = webhook_rows.find_webhook(session, row.owner, row.webhook, lock=True)
        is_current = notification_outbox.finish_attempt(
            session, row.id, attempts=row.attempts, state=state.value, next_attempt_at=again
        )
        if webhook is None or not is_current:
            return
        notification_outbox.add_delivery(session, delivery)
        self._note(session, webhook, attempt)
        result = "delivered" if attempt.is_success else "failed"
        after_commit(session, self._ctx.metrics.deliveries.labels(result).inc)

    def _note(self, session: Session, webhook: WebhookRow, attempt: Attempt) -> None:
        """Record success or failure of a webhook, and disable one that fails for long."""
        now = self._ctx.now()
        if attempt.is_success:
            webhook.last_delivered_at, webhook.failing_since, webhook.gone_count = now, None, 0
            return
        is_gone = attempt.status == retry_policy.GONE_STATUS
        webhook.gone_count = webhook.gone_count + 1 if is_gone else 0
        webhook.failing_since = webhook.failing_since or now
        reason = retry_policy.disabled_reason(webhook.gone_count, webhook.failing_since, now)
        if reason and webhook.disabled_at is None:
            log.warning("webhook disabled owner=%s name=%s", webhook.owner, webhook.name)
            webhook_store.disable_webhook(session, self._ctx, webhook, reason)
