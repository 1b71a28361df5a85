"""The operator of `clipmill serve`: renders submitted compilations on this machine.

active compilations -> the oldest that is not given up -> LocalRunner -> its end -> the next one

After an unexpected error it starts again, later each time. After MAX_FAILURES in a row it gives up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread
from typing import Self

from clipmill import fault_points
from clipmill.protocol import TERMINAL_STATES, ActiveCompilation, FailedTasks, Stage
from clipmill_cli.errors import RunError
from clipmill_cli.local.job_processes import StartJob
from clipmill_cli.local.local_runner import MAX_MESSAGE_CHARS, LocalRunner
from clipmill_client.errors import ClientError
from clipmill_client.privileged_calls import OperatorCalls

# The uid prefix of compilations submitted to the API. Others belong to `clipmill render` or to
# the operator of a cluster.
SUBMITTED_PREFIX = "r-"
IDLE_S = 1.0
# Pauses of 1, 2, 4, 8 and 16 s lie between six failures in a row.
MAX_FAILURES = 6
log = logging.getLogger(__name__)


class Stopped(Exception):
    """The server is stopping. A compilation in progress continues at the next start."""


class OperatorRestarting(Exception):
    """The operator failed and will start again."""


class OperatorFailed(Exception):
    """The operator has given up."""


class EmbeddedOperator:
    """Renders submitted compilations one after the other, in a thread, within its `with` block.

    Args:
        operator: Client with the operator's key.
        start: Starts a job.
        workers: Number of tasks at a time.
        on_failed: Called when the operator has given up.
    """

    def __init__(
        self,
        operator: OperatorCalls,
        start: StartJob,
        *,
        workers: int,
        on_failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._operator = operator
        self._on_failed = on_failed
        self._failures = 0
        self._last_error = ""
        self._is_waiting = False
        self._start = start
        self._workers = workers
        self._stop = Event()
        self._given_up: set[tuple[str, int]] = set()
        self._thread = Thread(target=self._loop, name="operator", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Raise OperatorRestarting or OperatorFailed if nothing is rendered at the moment."""
        if self._failures >= MAX_FAILURES:
            failures = f"rendering failed {self._failures} times in a row"
            raise OperatorFailed(f"{failures}, last with {self._last_error}")
        if self._is_waiting:
            raise OperatorRestarting(self._last_error)

    def pending(self) -> list[ActiveCompilation]:
        """Return the submitted compilations to render, oldest first."""
        return [
            compilation
            for compilation in self._operator.active_compilations()
            if compilation.uid.startswith(SUBMITTED_PREFIX)
            and compilation.state not in TERMINAL_STATES  # as while it is being delivered
            and (compilation.uid, compilation.generation) not in self._given_up
        ]

    def reconcile(self) -> bool:
        """Render the oldest pending compilation; return False if there is nothing to do now."""
        fault_points.reach("serve.operator.reconciling")
        try:
            pending = self.pending()
            if not pending:
                return False
            self._render(pending[0])
        except ClientError as error:
            log.warning("reconcile failed code=%s error=%s", error.code, error)
            return False
        return True

    def _loop(self) -> None:
        try:
            while self._failures < MAX_FAILURES:
                self._step()
        except Stopped:
            log.info("operator stopped")
            return
        log.critical("operator gave up failures=%d error=%s", self._failures, self._last_error)
        self._on_failed()

    def _step(self) -> None:
        """Reconcile once; after an unexpected error pause for longer each time."""
        try:
            is_idle = not self.reconcile()
        except Stopped:
            raise
        except Exception as error:
            self._last_error = f"{type(error).__name__}: {error}"
            self._failures += 1
            log.exception("operator failed failures=%d", self._failures)
            if self._failures < MAX_FAILURES:
                self._is_waiting = True
                self._pause(2.0 ** (self._failures - 1))
                self._is_waiting = False
            return
        self._failures = 0
        if is_idle:
            self._pause(IDLE_S)

    def _render(self, compilation: ActiveCompilation) -> None:
        fault_points.reach("serve.operator.rendering")
        log.info(
            "rendering compilation=%s name=%s owner=%s",
            *(compilation.id, compilation.name, compilation.owner),
        )
        runner = LocalRunner(self._operator, self._start, workers=self._workers, pause=self._pause)
        try:
            view = runner.run(compilation.uid, self._operator.plan(compilation.uid))
        except RunError as error:
            self._give_up(compilation, str(error))
            return
        log.info("finished compilation=%s state=%s reason=%s", view.id, view.state, view.reason)

    def _give_up(self, compilation: ActiveCompilation, reason: str) -> None:
        """Report the tasks that the API waits for as failed, once."""
        self._given_up.add((compilation.uid, compilation.generation))
        log.error("gave up compilation=%s error=%s", compilation.id, reason)
        stage = compilation.stage or Stage.FETCH
        plan = self._operator.plan(compilation.uid)
        tasks = FailedTasks(
            stage=stage,
            generation=compilation.generation,
            indexes=plan.to_fetch if stage is Stage.FETCH else [0],
            message=reason[:MAX_MESSAGE_CHARS],
        )
        self._operator.report_failed_tasks(compilation.uid, tasks)

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped
