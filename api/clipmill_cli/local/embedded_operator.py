"""The operator of `clipmill serve`: renders submitted compilations on this machine.

active compilations -> the oldest that is not given up -> LocalRunner -> its end -> the next one
"""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import Self

from clipmill.protocol import ActiveCompilation, FailedTasks, Stage
from clipmill_cli.errors import RunError
from clipmill_cli.local.job_processes import StartJob
from clipmill_cli.local.local_runner import MAX_MESSAGE_CHARS, LocalRunner
from clipmill_client.errors import ClientError
from clipmill_client.privileged_calls import OperatorCalls

# The uid prefix of compilations submitted to the API. Others belong to `clipmill render` or to
# the operator of a cluster.
SUBMITTED_PREFIX = "r-"
IDLE_S = 1.0
log = logging.getLogger(__name__)


class Stopped(Exception):
    """The server is stopping. A compilation in progress continues at the next start."""


class EmbeddedOperator:
    """Renders submitted compilations one after the other, in a thread, within its `with` block."""

    def __init__(self, operator: OperatorCalls, start: StartJob, *, workers: int) -> None:
        self._operator = operator
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

    def pending(self) -> list[ActiveCompilation]:
        """Return the submitted compilations to render, oldest first."""
        return [
            compilation
            for compilation in self._operator.active_compilations()
            if compilation.uid.startswith(SUBMITTED_PREFIX)
            and (compilation.uid, compilation.generation) not in self._given_up
        ]

    def reconcile(self) -> bool:
        """Render the oldest pending compilation; return False if there is nothing to do now."""
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
            while True:
                if not self.reconcile():
                    self._pause(IDLE_S)
        except Stopped:
            log.info("operator stopped")

    def _render(self, compilation: ActiveCompilation) -> None:
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
