"""The loop: keys in, looks out. Watches, polls and resyncs only put keys on the queue.

asyncio decides who is next; the work itself blocks, so it is done by threads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from clipmill_client.errors import ClientError
from clipmill_operator import metrics
from clipmill_operator.building.builders import COMPILATION_NAME
from clipmill_operator.kube import Kube, KubeError, Object
from clipmill_operator.reconciling.api_requests import Again
from clipmill_operator.reconciling.observed import key_of
from clipmill_operator.reconciling.reconciler import Next, Reconciler
from clipmill_operator.reconciling.submission_sync import Submissions
from clipmill_operator.settings import Settings
from clipmill_operator.watching.health import Health
from clipmill_operator.watching.object_cache import Cache, Key
from clipmill_operator.watching.pollers import Poll, Resync
from clipmill_operator.watching.work_queue import PATIENCE_S, WorkQueue

log = logging.getLogger(__name__)
POLICY = ""
"""Name of a key that stands for a namespace's policies: no resource is called so."""


@dataclass(kw_only=True)
class Loop:
    """Everything that runs, put together from its tasks."""

    kube: Kube
    cache: Cache
    reconciler: Reconciler
    poll: Poll
    resync: Resync
    submissions: Submissions
    settings: Settings
    health: Health
    queue: WorkQueue = field(default_factory=WorkQueue)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _working: set[asyncio.Task[None]] = field(default_factory=set)

    # --- news ---------------------------------------------------------------------------------

    def saw(self, kind: str, change: str | None, body: Object) -> None:
        """A watch told of a compilation, a Job or a pod."""
        self.health.event(kind)
        store = getattr(self.cache, "wishes" if kind == "compilations" else kind)
        deleted = change == "DELETED"
        key, uid = key_of(body), body["metadata"]["uid"]
        before = store.get(key)
        if not (store.lose(key, uid) if deleted else store.see(body)):
            return
        if kind == "compilations" and deleted:
            self._spawn(self._gone(uid))
        if kind == "pods" and not any(pod and pod.tells for pod in (before, store.get(key))):
            # Most of what is told of a pod is of no consequence: it was made, it runs.
            return
        labels = body["metadata"].get("labels") or {}
        owner = labels.get(COMPILATION_NAME, "") if kind != "compilations" else key[1]
        if owner:
            self.add((key[0], owner))

    def policy_changed(self, namespace: str) -> None:
        """A watch told of a policy of ours: it is put right, if it is not."""
        if self.reconciler.isolation.changed(namespace):
            self.add((namespace, POLICY))

    def add(self, key: Key, *, patience_s: float = 0.0) -> None:
        """Look at a resource."""
        self.queue.add(key, time.monotonic(), patience_s=patience_s)
        self._news.set()

    # --- running ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. The first resync comes before the first look."""
        await self._until_primed()
        rounds = [
            self._every(self.settings.resync_s, self._resync_round),
            self._every(self.settings.poll_s, self._poll_round),
            self._dispatch(),
        ]
        await asyncio.gather(*rounds)

    async def _until_primed(self) -> None:
        while True:
            try:
                self._add_all(await asyncio.to_thread(self.resync))
                break
            except KubeError as error:
                log.warning("start waits: %s", error)
                await asyncio.sleep(2)
        await asyncio.to_thread(self._take_stock)
        self._spawn(self._first_sweep())

    async def _first_sweep(self) -> None:
        """What was deleted while no operator ran. The next round does what fails here."""
        try:
            await asyncio.to_thread(self.resync.sweep)
        except (KubeError, ClientError) as error:
            log.warning("sweep error=%s", error)

    def _take_stock(self) -> None:
        """Who has pods at the start, so that the limits hold; where policies are due."""
        live = {wish.uid for wish in self.cache.wishes.all()}
        for job in self.cache.jobs.all():
            if job.owner_uid in live and not job.end:
                self.reconciler.standings.hold(job.owner_uid, job.owner)
        for namespace in {self.settings.namespace, self.settings.submissions_to}:
            self.add((namespace, POLICY))

    async def _every(self, interval_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(interval_s)
            try:
                await work()
            except (KubeError, ClientError) as error:
                log.warning("round=%s error=%s", getattr(work, "__name__", "?"), error)

    async def _resync_round(self) -> None:
        self._add_all(await asyncio.to_thread(self.resync))
        await asyncio.to_thread(self.resync.sweep)

    async def _poll_round(self) -> None:
        self._add_all(await asyncio.to_thread(self.poll))
        self._add_all(await asyncio.to_thread(self.submissions))

    def _add_all(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.add(key)

    async def _gone(self, uid: str) -> None:
        """Tell the API; what fails here is found again by the sweep."""
        try:
            await asyncio.to_thread(self.reconciler.gone, uid)
        except ClientError as error:
            log.warning("gone uid=%s error=%s", uid, error)
        self._add_all(self.reconciler.standings.next_keys())

    async def _dispatch(self) -> None:
        while True:
            self._news.clear()
            while len(self._working) < self.settings.workers:
                key = self.queue.take(time.monotonic())
                if key is None:
                    break
                self._spawn(self._look(key))
            due = self.queue.next_due() if len(self._working) < self.settings.workers else None
            wait_s = None if due is None else max(0.0, due - time.monotonic())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), wait_s)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._working.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._news.set()

    async def _look(self, key: Key) -> None:
        try:
            with metrics.LOOKS.time():
                then = await asyncio.to_thread(self._work, key)
        except Again as again:
            log.debug("again key=%s/%s why=%s", *key, again)
            self.queue.failed(key, time.monotonic())
        except Exception as error:
            self._failed(key, error)
        else:
            self.queue.done(key)
            if then is not Next.NOTHING:
                self.add(key, patience_s=PATIENCE_S if then is Next.TELL else 0.0)
        self._add_all(self.reconciler.standings.next_keys())
        running, queued = self.reconciler.standings.counts()
        metrics.REQUESTS.set(self.kube.requests)
        metrics.RUNNING.set(running)
        metrics.QUEUED.set(queued)

    def _work(self, key: Key) -> Next:
        namespace, name = key
        if name == POLICY:
            self.reconciler.isolation.ensure(namespace)
            return Next.NOTHING
        return self.reconciler(key)

    def _failed(self, key: Key, error: Exception) -> None:
        """A surprise is logged whole; the key is tried again like after any other error."""
        wait_s = self.queue.failed(key, time.monotonic())
        metrics.FAILURES.labels(type(error).__name__).inc()
        known = isinstance(error, KubeError | ClientError)
        log.warning(
            "look failed key=%s/%s again_s=%g error=%s",
            *key,
            wait_s,
            error,
            exc_info=None if known else error,
        )
