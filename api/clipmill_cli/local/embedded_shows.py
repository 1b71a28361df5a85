"""The shows of `clipmill serve`: sends ticks, and runs discover tasks on this machine.

tick -> episodes that discover -> processes, with retries -> their ends -> the next tick

It runs in a thread of its own, so that a schedule does not wait for a video that is rendered.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from threading import Event, Thread
from typing import Protocol, Self

from clipmill.protocol import SubmissionAction
from clipmill.shows.show_messages import DiscoverJob, FailedDiscovery
from clipmill_cli.local.embedded_operator import SUBMITTED_PREFIX
from clipmill_cli.local.job_processes import JobProcess
from clipmill_cli.local.local_runner import MAX_MESSAGE_CHARS, NO_RESULT
from clipmill_cli.local.task_pool import MAX_RETRIES, TaskPool
from clipmill_client.errors import ClientError
from clipmill_client.privileged_calls import OperatorCalls

TICK_S = 5.0
STEP_S = 0.2
# After an unexpected error the next tick waits for longer each time.
MAX_PAUSE_S = 60.0
log = logging.getLogger(__name__)


class StartDiscovery(Protocol):
    """Starts discover tasks."""

    def discover(self, episode_id: str, key: str) -> JobProcess:
        """Start the discover task of an episode with an API key of that episode."""


class EmbeddedShows:
    """Sends ticks and runs discover tasks, in a thread, within its `with` block.

    Args:
        operator: Client with the operator's key.
        start: Starts discover tasks.
        workers: Number of discover tasks at a time.
        clock: Seconds of a clock that never goes back.
    """

    def __init__(
        self,
        operator: OperatorCalls,
        start: StartDiscovery,
        *,
        workers: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operator = operator
        self._start = start
        self._workers = workers
        self._clock = clock
        self._cursor = 0
        self._pools: dict[str, TaskPool] = {}
        self._rounds: Counter[str] = Counter()
        self._stop = Event()
        self._thread = Thread(target=self._loop, name="shows", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for pool in self._pools.values():
            pool.terminate()

    def tick(self) -> None:
        """Let the API start what is due; start discover tasks, and confirm deletions."""
        reply = self._operator.shows.tick(self._cursor)
        self._cursor = reply.cursor
        for job in reply.discover:
            if job.episode_id not in self._pools and len(self._pools) < self._workers:
                self._begin(job)
        needed = {job.episode_id for job in reply.discover}
        for episode_id in set(self._rounds) - needed - set(self._pools):
            del self._rounds[episode_id]
        self._confirm_deletions()

    def _begin(self, job: DiscoverJob) -> None:
        """Start the discover task of an episode, unless it keeps ending without a result."""
        self._rounds[job.episode_id] += 1
        if self._rounds[job.episode_id] > MAX_RETRIES + 1:
            self._report(job.episode_id, NO_RESULT)
            return
        log.info("discovering episode=%s name=%s", job.episode_id, job.name)
        key = self._operator.shows.create_key(job.episode_id)
        self._pools[job.episode_id] = TaskPool(
            lambda _: self._start.discover(job.episode_id, key), [0], workers=1
        )

    def step(self) -> None:
        """Handle processes that have ended."""
        for episode_id, pool in list(self._pools.items()):
            pool.step(self._clock())
            if pool.is_done:
                for message in pool.given_up.values():
                    self._report(episode_id, message)
                del self._pools[episode_id]

    def _report(self, episode_id: str, message: str) -> None:
        log.error("gave up discovery episode=%s error=%s", episode_id, message)
        failure = FailedDiscovery(message=message[:MAX_MESSAGE_CHARS])
        self._operator.shows.report_failed(episode_id, failure)

    def _confirm_deletions(self) -> None:
        """Report resources as deleted: there are none on this machine."""
        for submission in self._operator.submissions(SubmissionAction.DELETE):
            if submission.uid.startswith(SUBMITTED_PREFIX):
                self._operator.delete(submission.uid)

    def _loop(self) -> None:
        pause_s, next_tick = TICK_S, float("-inf")
        while not self._stop.wait(STEP_S):
            try:
                self.step()
                if self._clock() < next_tick:
                    continue
                next_tick = self._clock() + pause_s
                self.tick()
                pause_s = TICK_S
            except ClientError as error:
                log.warning("tick failed code=%s error=%s", error.code, error)
            except Exception:
                log.exception("shows failed")
                pause_s = min(2 * pause_s, MAX_PAUSE_S)
