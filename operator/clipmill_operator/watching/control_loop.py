"""The control loop: watches, pollers and resyncs add keys to the queue, workers reconcile them.

asyncio decides which key is next. A reconcile blocks, so it runs in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from clipmill_client.errors import ClientError
from clipmill_operator import metrics
from clipmill_operator.building.labels import COMPILATION_NAME
from clipmill_operator.building.resource import Object
from clipmill_operator.errors import KubeError, Requeue
from clipmill_operator.queueing.queue_poller import QueuePoller
from clipmill_operator.reconciling.reconciler import Reconciler, ReconcileResult
from clipmill_operator.reconciling.submission_sync import SubmissionSync
from clipmill_operator.settings import Settings
from clipmill_operator.shows.show_controller import ShowController
from clipmill_operator.watching.health import Health
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import SHOW_PREFIX, Key, key_of
from clipmill_operator.watching.pollers import ProgressPoller, Resync
from clipmill_operator.watching.work_queue import WorkQueue

log = logging.getLogger(__name__)
# No resource has an empty name: the key stands for the NetworkPolicies of a namespace.
POLICIES_NAME = ""
# The write of a status yields to reconciles that create Jobs (docs/decisions/operator.md).
STATUS_YIELD_S = 10.0
START_RETRY_S = 2.0
# Threads besides the workers': resync, poll, submissions, shows and cancellations.
BACKGROUND_THREADS = 5


@dataclass(kw_only=True)
class ControlLoop:
    """Runs reconciles. Methods are called by the event loop's thread only."""

    cache: ClusterCache
    reconciler: Reconciler
    poller: ProgressPoller
    resync: Resync
    submissions: SubmissionSync
    queues: QueuePoller
    shows: ShowController
    settings: Settings
    health: Health
    queue: WorkQueue = field(default_factory=WorkQueue)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _workers: set[asyncio.Task[None]] = field(default_factory=set)

    # --- events -------------------------------------------------------------------------------

    def on_event(self, kind: str, change: str | None, body: Object) -> None:
        """Take a watch event of a Compilation, a Show, a Job or a pod."""
        self.health.record_event(kind)
        objects = getattr(self.cache, kind)
        is_deleted = change == "DELETED"
        key, uid = key_of(body), body["metadata"]["uid"]
        previous = objects.get(key)
        if not (objects.remove(key, uid) if is_deleted else objects.store(body)):
            return
        if kind == "compilations":
            if is_deleted:
                self._spawn(self._cancel(uid))
            self.add(key)
            return
        if kind == "shows":
            self._on_show(key, uid, is_deleted=is_deleted)
            return
        is_lost = is_deleted and kind == "jobs"
        children = (previous, objects.get(key))
        if not is_lost and not any(child and child.is_significant for child in children):
            # Most events change nothing: a Job or a pod was created, or it runs.
            return
        name = (body["metadata"].get("labels") or {}).get(COMPILATION_NAME)
        if name:
            self.add((key[0], name))

    def _on_show(self, key: Key, uid: str, *, is_deleted: bool) -> None:
        show = self.cache.shows.get(key)
        # While a deletion waits for the episodes, no more of them may start.
        if is_deleted or (show is not None and show.is_deleting):
            self._spawn(self._delete_show(uid))
        else:
            self.add((key[0], SHOW_PREFIX + key[1]))

    def on_policy_event(self, namespace: str) -> None:
        """Take a watch event of one of our NetworkPolicies: it is applied again."""
        if self.reconciler.network_policies.invalidate(namespace):
            self.add((namespace, POLICIES_NAME))

    def add(self, key: Key, *, yield_s: float = 0.0) -> None:
        """Add a key to the queue."""
        self.queue.add(key, time.monotonic(), yield_s=yield_s)
        self._changed.set()

    def _add_all(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.add(key)

    # --- rounds -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until cancelled. A first resync completes before the first reconcile."""
        # asyncio's own pool has four threads more than there are processors, whatever the workers.
        threads = self.settings.workers + BACKGROUND_THREADS
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads))
        await self._prime()
        await asyncio.gather(
            self._every(self.settings.resync_s, self._resync_round),
            self._every(self.settings.poll_s, self._poll_round),
            self._every(self.settings.show_poll_s, self._show_round),
            self._dispatch(),
        )

    async def _prime(self) -> None:
        while True:
            try:
                self._add_all(await asyncio.to_thread(self.resync))
                break
            except KubeError as error:
                log.warning("start delayed: %s", error)
                await asyncio.sleep(START_RETRY_S)
        self.reconciler.restore_admissions()
        for namespace in self.settings.first_namespaces:
            self.add((namespace, POLICIES_NAME))
        self._spawn(self._first_cancellations())

    async def _first_cancellations(self) -> None:
        """Cancel what was deleted while no operator ran; the next resync retries a failure."""
        try:
            await asyncio.to_thread(self.resync.cancel_orphans)
        except (KubeError, ClientError) as error:
            log.warning("cancellation of orphans failed: %s", error)

    async def _every(self, interval_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(interval_s)
            try:
                await work()
            except (KubeError, ClientError) as error:
                log.warning("round=%s error=%s", getattr(work, "__name__", "?"), error)

    async def _resync_round(self) -> None:
        self._add_all(await asyncio.to_thread(self.resync))
        await asyncio.to_thread(self.resync.cancel_orphans)
        await asyncio.to_thread(self.shows.delete_missing)

    async def _show_round(self) -> None:
        self._add_all(await asyncio.to_thread(self.shows.tick))

    async def _poll_round(self) -> None:
        self._add_all(await asyncio.to_thread(self.poller))
        self._add_all(await asyncio.to_thread(self.submissions))
        self._add_all(await asyncio.to_thread(self.queues))

    async def _cancel(self, uid: str) -> None:
        """Cancel a deleted Compilation at the API; the next resync retries a failure."""
        try:
            await asyncio.to_thread(self.reconciler.cancel, uid)
        except ClientError as error:
            log.warning("cancel uid=%s error=%s", uid, error)
        self._add_all(self.reconciler.admissions.admissible_keys())

    async def _delete_show(self, uid: str) -> None:
        """Report a deleted Show to the API; the next resync retries a failure."""
        try:
            await asyncio.to_thread(self.shows.delete, uid)
        except ClientError as error:
            log.warning("delete show uid=%s error=%s", uid, error)

    # --- workers ------------------------------------------------------------------------------

    async def _dispatch(self) -> None:
        while True:
            self._changed.clear()
            while len(self._workers) < self.settings.workers:
                key = self.queue.take(time.monotonic())
                if key is None:
                    break
                self._spawn(self._reconcile(key))
            due = self.queue.next_due() if len(self._workers) < self.settings.workers else None
            wait_s = None if due is None else max(0.0, due - time.monotonic())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait_s)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._workers.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._workers.discard(task)
        self._changed.set()

    async def _reconcile(self, key: Key) -> None:
        try:
            with metrics.RECONCILE_DURATION.time():
                result = await asyncio.to_thread(self._work, key)
        except Requeue as requeue:
            log.debug("requeue key=%s/%s reason=%s", *key, requeue)
            self.queue.failed(key, time.monotonic())
        except Exception as error:
            self._handle_error(key, error)
        else:
            self.queue.done(key)
            if result is ReconcileResult.REQUEUE:
                self.add(key)
            elif result is ReconcileResult.STATUS_DEFERRED:
                self.add(key, yield_s=STATUS_YIELD_S)
        self._add_all(self.reconciler.admissions.admissible_keys())
        running, queued = self.reconciler.admissions.counts()
        metrics.RUNNING.set(running)
        metrics.QUEUED.set(queued)

    def _work(self, key: Key) -> ReconcileResult:
        namespace, name = key
        if name == POLICIES_NAME:
            self.reconciler.network_policies.ensure(namespace)
            return ReconcileResult.DONE
        if name.startswith(SHOW_PREFIX):
            self.shows.reconcile((namespace, name.removeprefix(SHOW_PREFIX)))
            return ReconcileResult.DONE
        return self.reconciler.reconcile(key)

    def _handle_error(self, key: Key, error: Exception) -> None:
        """Retry after a back-off. An unexpected error is logged with its traceback."""
        wait_s = self.queue.failed(key, time.monotonic())
        metrics.RECONCILE_ERRORS.labels(type(error).__name__).inc()
        is_expected = isinstance(error, KubeError | ClientError)
        log.warning(
            "reconcile failed key=%s/%s retry_in_s=%g error=%s",
            *key,
            wait_s,
            error,
            exc_info=None if is_expected else error,
        )
