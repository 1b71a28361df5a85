"""Deliver results to buckets, at least once, beside other replicas.

A sender leases a file before it sends it. If it ends before it has stored the result, another one
sends the same file again to the same place once the lease is over.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi.concurrency import run_in_threadpool

from clipmill.protocol.compilation_plan import DeliveryState
from clipmill.protocol.integrations.credential_models import CredentialKind, S3Bucket
from clipmill_api.context import Context
from clipmill_api.credentials.credential_store import credentials_for
from clipmill_api.database import UNAVAILABLE, Session
from clipmill_api.delivery.bucket_upload import TIMEOUT_S, ObjectToPut, put_object
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.media.downloads import CONTENT_TYPES
from clipmill_api.notifications.retry_policy import GONE_STATUS, next_attempt
from clipmill_api.notifications.webhook_transport import Attempt, new_http_client
from clipmill_api.queries import media_library
from clipmill_api.queries.integrations import result_deliveries
from clipmill_api.tables import MediaRow, ResultDeliveryRow

log = logging.getLogger(__name__)
INTERVAL_S = 1.0
MAX_IN_FLIGHT = 4
# Longer than an attempt may take.
LEASE_S = int(TIMEOUT_S) + 60
MAX_ERROR_CHARS = 200


class ResultSender:
    """Sends what is due: one file of an owner, and files of some owners, at a time."""

    def __init__(self, ctx: Context, *, interval_s: float = INTERVAL_S) -> None:
        self._ctx = ctx
        self._interval_s = interval_s
        self._http: httpx.AsyncClient | None = None
        self._busy: dict[str, asyncio.Task[None]] = {}

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
            has_started = False
            try:
                has_started = await self._start_due()
            except UNAVAILABLE as error:
                log.warning("result deliveries not read error=%s", type(error).__name__)
            except Exception:
                # A failed round must not end the sender; the next one may succeed.
                log.exception("results not delivered")
            if not has_started:
                await asyncio.sleep(self._interval_s)

    async def _start_due(self) -> bool:
        if len(self._busy) >= MAX_IN_FLIGHT or not self._ctx.keyring:
            return False
        row = await run_in_threadpool(self._claim, set(self._busy))
        if row is None:
            return False
        owner = row.owner
        task = asyncio.create_task(self._deliver(row))
        self._busy[owner] = task
        task.add_done_callback(lambda _: self._busy.pop(owner, None))
        return True

    def _claim(self, busy: set[str]) -> ResultDeliveryRow | None:
        now, until = self._ctx.now(), self._ctx.later(LEASE_S)
        with self._ctx.db.read() as session:
            if not result_deliveries.has_due(session, now):
                return None
        return self._ctx.db.write(
            lambda session: result_deliveries.claim_due(session, now, until, busy)
        )

    async def _deliver(self, row: ResultDeliveryRow) -> None:
        try:
            attempt = await self._send(row)
            await run_in_threadpool(self._store, row, attempt)
        except UNAVAILABLE as error:
            log.warning("result delivery not stored id=%s error=%s", row.id, type(error).__name__)
        except Exception:
            log.exception("result delivery failed id=%s", row.id)

    async def _send(self, row: ResultDeliveryRow) -> Attempt:
        try:
            media, bucket = await run_in_threadpool(self._open, row)
        except ApiProblem as problem:
            return Attempt(problem.status, problem.detail)
        self._http = self._http or new_http_client()
        private = self._ctx.settings.allow_private_webhooks
        return await put_object(
            self._http, bucket, self._file(row, media), at=self._ctx.now(), private=private
        )

    def _open(self, row: ResultDeliveryRow) -> tuple[MediaRow, S3Bucket]:
        """Return the file and its bucket. Raise ApiProblem."""

        def read(session: Session) -> tuple[MediaRow, S3Bucket]:
            media = media_library.find_media(session, row.owner, row.media_id)
            if media is None:
                raise ApiProblem(410, "BytesMissing", "the file was deleted")
            name, kind = row.credential, CredentialKind.S3
            bucket = credentials_for(session, self._ctx, row.owner, name, kind)
            if not isinstance(bucket, S3Bucket):
                raise TypeError(f"credential {name!r} is no bucket")
            return media, bucket

        return self._ctx.db.write(read)

    def _file(self, row: ResultDeliveryRow, media: MediaRow) -> ObjectToPut:
        suffix = row.filename.rsplit(".", 1)[-1]
        return ObjectToPut(
            name=f"{row.folder}/{row.filename}",
            sha256=media.sha256,
            size_bytes=media.size_bytes,
            content_type=CONTENT_TYPES.get(suffix, "application/octet-stream"),
            chunks=self._ctx.store.read(media.owner, media.sha256, 0, media.size_bytes),
        )

    def _store(self, row: ResultDeliveryRow, attempt: Attempt) -> None:
        state, again = DeliveryState.DELIVERED, None
        if attempt.status == GONE_STATUS:
            state = DeliveryState.FAILED
        elif not attempt.is_success:
            again = next_attempt(
                self._ctx.now(),
                row.expires_at,
                attempts=row.attempts,
                random=random.random(),  # noqa: S311
            )
            state = DeliveryState.PENDING if again else DeliveryState.FAILED
        error = (attempt.error or "")[:MAX_ERROR_CHARS] or None
        values = {"state": state.value, "error": error, "next_attempt_at": again}
        self._ctx.db.write(lambda session: result_deliveries.finish_attempt(session, row, **values))
        if state is DeliveryState.FAILED:
            log.warning("result delivery given up id=%s owner=%s", row.id, row.owner)
