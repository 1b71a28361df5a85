"""Renders a compilation on this machine, in the role of the operator.

register -> plan -> jobs of the stage -> plan -> ... -> final state. While clips are fetched, one
more job renders those that are ready. The runner stores nothing: after an interruption it continues
from the plan that the API returns.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable

from clipmill.protocol import (
    TERMINAL_STATES,
    CompilationState,
    CompilationView,
    FailedTasks,
    Plan,
    Registration,
    Stage,
)
from clipmill_cli.errors import RunError
from clipmill_cli.local.job_processes import JobProcess, StartJob
from clipmill_cli.local.job_starts.early_rendering import EarlyRendering
from clipmill_cli.local.task_pool import MAX_RETRIES, TaskPool
from clipmill_client.errors import PermanentError
from clipmill_client.privileged_calls import OperatorCalls

POLL_INTERVAL_S = 0.05
# As often as jobs report their progress, and when one of them has ended.
STATUS_INTERVAL_S = 2.0
MAX_MESSAGE_CHARS = 500
NO_RESULT = "its jobs ended without reporting a result"
OnProgress = Callable[[CompilationView], None]


def register(operator: OperatorCalls, uid: str, registration: Registration) -> Plan:
    """Register a spec and return its plan.

    The generation is the current one if an interrupted run had the same spec, so that this run
    continues it, and otherwise the next one.
    """
    current = _current_view(operator, uid)
    if current is None:
        return operator.register(uid, _with_generation(registration, 1))
    if current.state in TERMINAL_STATES:
        return operator.register(uid, _with_generation(registration, current.generation + 1))
    try:
        return operator.register(uid, _with_generation(registration, current.generation))
    except PermanentError as error:
        if error.code != "GenerationConflict":
            raise
    return operator.register(uid, _with_generation(registration, current.generation + 1))


def _current_view(operator: OperatorCalls, uid: str) -> CompilationView | None:
    try:
        return operator.view(uid)
    except PermanentError as error:
        if error.status != 404:
            raise
        return None


def _with_generation(registration: Registration, generation: int) -> Registration:
    return registration.model_copy(update={"generation": generation})


def next_tasks(plan: Plan) -> tuple[Stage, list[int]]:
    """Return the stage that a plan is in, and the indexes of its unfinished tasks."""
    if plan.state is CompilationState.RENDERING:
        return Stage.ASSEMBLE, [0]
    return Stage.FETCH, list(plan.to_fetch)


def fetches_to_give_up(before: Plan, after: Plan, given_up: dict[int, str]) -> dict[int, str]:
    """Return the clips to give up if jobs have ended too often: all that wait, or none.

    The API counts the attempts at each clip. It does not know of jobs that end before they claim.
    """
    if not given_up or after.fetch_claims > before.fetch_claims:
        return {}
    return dict.fromkeys(after.to_fetch, next(iter(given_up.values())))


class LocalRunner:
    """Runs one compilation to its end; `spent_s` holds the seconds of each stage."""

    def __init__(
        self,
        operator: OperatorCalls,
        start: StartJob,
        *,
        workers: int = 2,
        on_progress: OnProgress = lambda _: None,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operator = operator
        self._start = start
        self._workers = workers
        self._on_progress = on_progress
        self._pause = pause
        self._clock = clock
        self._rounds: Counter[tuple[Stage, int]] = Counter()
        self.spent_s: dict[str, float] = defaultdict(float)

    def run(self, uid: str, plan: Plan) -> CompilationView:
        """Work on a registered plan until its final state.

        Raises:
            ClientError: the API failed or refused a call.
            RunError: the API names no tasks, or names given-up tasks again.
        """
        early = EarlyRendering(lambda: self._start_rendering(uid, plan.generation))
        try:
            while plan.state not in TERMINAL_STATES:
                plan = self._run_next_stage(uid, plan, early)
        finally:
            early.terminate()
        return self._observe(uid)

    def _start_rendering(self, uid: str, generation: int) -> JobProcess:
        key = self._operator.create_key(uid, Stage.RENDER, generation)
        return self._start(Stage.RENDER, 0, key)

    def _run_next_stage(self, uid: str, plan: Plan, early: EarlyRendering) -> Plan:
        """Run the tasks of a plan, and return the plan that follows."""
        stage, indexes = next_tasks(plan)
        if stage is Stage.ASSEMBLE and not early.is_done:
            return self._finish_rendering(uid, early)
        started = self._clock()
        given_up = self._without_result(stage, indexes) or self._run_stage(
            uid, plan, stage, indexes, early
        )
        self.spent_s[stage.value] += self._clock() - started
        return self._report(uid, plan, stage, given_up)

    def _finish_rendering(self, uid: str, early: EarlyRendering) -> Plan:
        """Wait until the render task has rendered what the last clip was missing for."""
        started = self._clock()
        self._wait(uid, early, early)
        self.spent_s[Stage.RENDER.value] += self._clock() - started
        return self._operator.plan(uid)

    def _without_result(self, stage: Stage, indexes: list[int]) -> dict[int, str]:
        """Return the tasks to give up because their jobs keep ending without a result."""
        if not indexes:
            raise RunError(f"the API is in stage {stage} but names no tasks")
        self._rounds.update((stage, index) for index in indexes)
        if any(self._rounds[stage, index] > MAX_RETRIES + 2 for index in indexes):
            raise RunError(f"{stage}: the API repeats tasks that were given up; see its log")
        exhausted = [index for index in indexes if self._rounds[stage, index] > MAX_RETRIES + 1]
        return dict.fromkeys(exhausted, NO_RESULT)

    def _run_stage(
        self, uid: str, plan: Plan, stage: Stage, indexes: list[int], early: EarlyRendering
    ) -> dict[int, str]:
        """Run the stage's jobs, of which each goes on with the next clip; return those given up."""
        key = self._operator.create_key(uid, stage, plan.generation)
        jobs = indexes[: self._workers]
        pool = TaskPool(lambda i: self._start(stage, i, key), jobs, workers=self._workers)
        try:
            self._wait(uid, pool, early)
        finally:
            pool.terminate()
        return pool.given_up

    def _wait(self, uid: str, awaited: TaskPool | EarlyRendering, early: EarlyRendering) -> None:
        """Handle processes until those of `awaited` are done, and observe the compilation."""
        due, ended = float("-inf"), 0
        while not awaited.is_done:
            now = self._clock()
            awaited.step(now)
            early.step(now)
            if now >= due or awaited.ended > ended:
                due, ended = now + STATUS_INTERVAL_S, awaited.ended
                view = self._observe(uid)
                early.start_if_useful(view)
                if view.state in TERMINAL_STATES:
                    awaited.stop_starting()
                    early.stop_starting()
            self._pause(POLL_INTERVAL_S)

    def _report(self, uid: str, plan: Plan, stage: Stage, given_up: dict[int, str]) -> Plan:
        """Report tasks that were given up and return the plan that follows."""
        current = self._operator.plan(uid)
        if current.state in TERMINAL_STATES:
            return current
        if stage is Stage.FETCH:
            given_up = fetches_to_give_up(plan, current, given_up)
        for index, message in given_up.items():
            tasks = FailedTasks(
                stage=stage,
                generation=plan.generation,
                indexes=[index],
                message=message[:MAX_MESSAGE_CHARS],
            )
            current = self._operator.report_failed_tasks(uid, tasks)
        return current

    def _observe(self, uid: str) -> CompilationView:
        view = self._operator.view(uid)
        self._on_progress(view)
        return view
