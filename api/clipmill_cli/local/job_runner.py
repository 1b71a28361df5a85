"""The local run plays the operator: registers the wish, starts jobs, tells of those that died.

register -> Plan -> jobs of the stage -> Plan -> ... -> an end. Nothing is kept here: a run that
was cut off is taken up where the API says it stands.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from clipmill.protocol import (
    ENDS,
    CompilationView,
    ExitCode,
    FailedTasks,
    Plan,
    Registration,
    Stage,
    State,
)
from clipmill_cli.local.job_processes import Child, Starter
from clipmill_client.errors import PermanentError
from clipmill_client.privileged_calls import OperatorCalls

RETRIES = 3
POLL_S = 0.05
LOOK_S = 0.5
Tell = Callable[[CompilationView], None]


class RunError(Exception):
    """The run cannot go on; says why in one line."""


class After(Enum):
    """What follows the end of a job's process."""

    LEAVE = "leave"
    RETRY = "retry"
    REPORT = "report"


def after(code: int, earlier: int) -> After:
    """What follows exit `code` after `earlier` tries, as a cluster's podFailurePolicy has it.

    64 and 65 leave too: the API was told, or another process holds the part.
    """
    if code in (ExitCode.OK, ExitCode.GIVE_UP, ExitCode.LEASE_LOST):
        return After.LEAVE
    return After.RETRY if earlier < RETRIES else After.REPORT


def wait_s(earlier: int) -> float:
    """Pause before the next try: 1, 2, 4 seconds."""
    return float(2**earlier)


def wanted(plan: Plan) -> tuple[Stage, list[int]]:
    """The stage that a plan stands in, and the parts of it to do."""
    if plan.state is State.RENDERING:
        return Stage.ASSEMBLE, [0]
    return Stage.FETCH, list(plan.to_fetch)


@dataclass(slots=True)
class _Part:
    index: int
    earlier: int = 0
    due: float = 0.0


class Crew:
    """The parts of one stage, at most `workers` at once, each tried again while that may help."""

    def __init__(
        self, start: Callable[[int], Child], indexes: Sequence[int], *, workers: int
    ) -> None:
        self._start = start
        self._workers = workers
        self._waiting = [_Part(index) for index in indexes]
        self._running: list[tuple[_Part, Child]] = []
        self.failed: dict[int, str] = {}

    @property
    def done(self) -> bool:
        """Nothing runs and nothing waits."""
        return not self._waiting and not self._running

    def step(self, now: float) -> None:
        """Take in what ended, start what is due."""
        for part, child in list(self._running):
            code = child.poll()
            if code is not None:
                self._running.remove((part, child))
                self._ended(part, child, code, now)
        for part in [part for part in self._waiting if part.due <= now]:
            if len(self._running) >= self._workers:
                return
            self._waiting.remove(part)
            self._running.append((part, self._start(part.index)))

    def _ended(self, part: _Part, child: Child, code: int, now: float) -> None:
        action = after(code, part.earlier)
        if action is After.RETRY:
            again = _Part(part.index, part.earlier + 1, now + wait_s(part.earlier))
            self._waiting.append(again)
        elif action is After.REPORT:
            said = child.last_words() or "it said nothing"
            self.failed[part.index] = f"ended {part.earlier + 1} times with exit {code}: {said}"

    def start_no_more(self) -> None:
        """The generation has ended: what runs may leave by itself, nothing new starts."""
        self._waiting.clear()

    def dismiss(self) -> None:
        """Send everybody home."""
        self._waiting.clear()
        for _, child in self._running:
            child.dismiss()
        self._running.clear()


class LocalRunner:
    """Runs compilations on this machine, one at a time."""

    def __init__(
        self,
        operator: OperatorCalls,
        start: Starter,
        *,
        workers: int = 2,
        tell: Tell | None = None,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operator = operator
        self._start = start
        self._workers = workers
        self._tell = tell or (lambda _: None)
        self._pause = pause
        self._clock = clock
        self._rounds: Counter[tuple[Stage, int]] = Counter()
        self.spent_s: dict[str, float] = defaultdict(float)

    def register(self, uid: str, wish: Registration) -> Plan:
        """Tell of the wish: an interrupted run of the same spec goes on, any other is a new one."""
        known = self._known(uid)
        if known is None:
            return self._operator.register(uid, _of_generation(wish, 1))
        if known.state in ENDS:
            return self._operator.register(uid, _of_generation(wish, known.generation + 1))
        try:
            return self._operator.register(uid, _of_generation(wish, known.generation))
        except PermanentError as error:
            if error.code != "GenerationConflict":
                raise
        return self._operator.register(uid, _of_generation(wish, known.generation + 1))

    def _known(self, uid: str) -> CompilationView | None:
        try:
            return self._operator.view(uid)
        except PermanentError as error:
            if error.status != 404:
                raise
            return None

    def run(self, uid: str, plan: Plan) -> CompilationView:
        """Do what a registered plan says until its end. Raises ClientError, RunError."""
        while plan.state not in ENDS:
            stage, indexes = wanted(plan)
            started = self._clock()
            failed = self._too_often(stage, indexes) or self._work(uid, plan, stage, indexes)
            self.spent_s[stage.value] += self._clock() - started
            plan = self._next(uid, plan, stage, failed)
        return self._look(uid)

    def _too_often(self, stage: Stage, indexes: list[int]) -> dict[int, str]:
        """Parts whose jobs ended well, time and again, while the API still wants them."""
        if not indexes:
            raise RunError(f"the API waits for {stage} jobs but names none")
        self._rounds.update((stage, index) for index in indexes)
        if any(self._rounds[stage, index] > RETRIES + 2 for index in indexes):
            raise RunError(f"{stage}: the API still wants parts that were given up; see its log")
        often = [index for index in indexes if self._rounds[stage, index] > RETRIES + 1]
        return dict.fromkeys(often, "its jobs left without telling what became of it")

    def _work(self, uid: str, plan: Plan, stage: Stage, indexes: list[int]) -> dict[int, str]:
        key = self._operator.mint(uid, stage, plan.generation)
        crew = Crew(lambda i: self._start(stage, i, key), indexes, workers=self._workers)
        looked = float("-inf")
        try:
            while not crew.done:
                now = self._clock()
                crew.step(now)
                if now - looked >= LOOK_S:
                    looked = now
                    if self._look(uid).state in ENDS:
                        crew.start_no_more()
                self._pause(POLL_S)
        finally:
            crew.dismiss()
        return crew.failed

    def _next(self, uid: str, plan: Plan, stage: Stage, failed: dict[int, str]) -> Plan:
        now = self._operator.plan(uid)
        if not failed or now.state in ENDS:
            return now
        for index, message in failed.items():
            parts = FailedTasks(
                stage=stage, generation=plan.generation, indexes=[index], message=message[:500]
            )
            now = self._operator.failed(uid, parts)
        return now

    def _look(self, uid: str) -> CompilationView:
        view = self._operator.view(uid)
        self._tell(view)
        return view


def _of_generation(wish: Registration, generation: int) -> Registration:
    return wish.model_copy(update={"generation": generation})
