"""`clipmill serve` plays the operator: what is submitted to the API is rendered on this machine.

active compilations -> the oldest not given up -> LocalRunner -> its end -> the next
"""

from __future__ import annotations

import logging
from threading import Event, Thread

from clipmill.protocol import Active, FailedTasks, Stage
from clipmill_cli.local.job_processes import Jobs
from clipmill_cli.local.job_runner import LocalRunner, RunError
from clipmill_client.client import Client
from clipmill_client.errors import ClientError

SUBMITTED = "r-"
"""What the API itself made a resource of. Others belong to `clipmill render` or to a cluster."""
IDLE_S = 1.0
log = logging.getLogger(__name__)


class Stopped(Exception):
    """The server ends: leave what runs, it is taken up at the next start."""


class LocalOperator:
    """Renders submitted compilations one after the other, in a thread, while in its `with`."""

    def __init__(self, client: Client, jobs: Jobs, *, workers: int) -> None:
        self._operator = client.operator
        self._jobs = jobs
        self._workers = workers
        self._stop = Event()
        self._given_up: set[tuple[str, int]] = set()
        self._thread = Thread(target=self._work, name="operator", daemon=True)

    def __enter__(self) -> LocalOperator:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            while True:
                if not self._one():
                    self._pause(IDLE_S)
        except Stopped:
            log.info("operator stopped")

    def _one(self) -> bool:
        """Render the next compilation, if there is one."""
        try:
            found = next(iter(self._waiting()), None)
            if found is None:
                return False
            self._render(found)
        except ClientError as error:
            log.warning("operator code=%s error=%s", error.code, error)
            return False
        return True

    def _waiting(self) -> list[Active]:
        return [
            one
            for one in self._operator.active()
            if one.uid.startswith(SUBMITTED) and (one.uid, one.generation) not in self._given_up
        ]

    def _render(self, found: Active) -> None:
        log.info("render compilation=%s name=%s owner=%s", found.id, found.name, found.owner)
        runner = LocalRunner(self._operator, self._jobs, workers=self._workers, pause=self._pause)
        try:
            view = runner.run(found.uid, self._operator.plan(found.uid))
        except RunError as error:
            self._give_up(found, str(error))
            return
        log.info("ended compilation=%s state=%s reason=%s", view.id, view.state, view.reason)

    def _give_up(self, found: Active, why: str) -> None:
        """The API waits for what will not come: tell it, once."""
        self._given_up.add((found.uid, found.generation))
        log.error("gave up compilation=%s error=%s", found.id, why)
        stage = found.stage or Stage.FETCH
        plan = self._operator.plan(found.uid)
        indexes = plan.to_fetch if stage is Stage.FETCH else [0]
        news = FailedTasks(
            stage=stage, generation=found.generation, indexes=indexes, message=why[:500]
        )
        self._operator.failed(found.uid, news)

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped
