"""The tasks of one stage as processes: at most `workers` at once, with retries after a pause.

In: task indexes and a function that starts a process. Out: the tasks given up, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from clipmill.protocol import ExitCode
from clipmill_cli.local.job_processes import JobProcess

MAX_RETRIES = 3


class TaskOutcome(Enum):
    """What the end of a process means for its task."""

    FINISHED = "finished"
    RETRY = "retry"
    GIVE_UP = "give up"


@dataclass(frozen=True, slots=True)
class TaskAttempt:
    """One attempt at a task, due at `not_before` of the caller's clock."""

    index: int
    retries: int = 0
    not_before: float = 0.0


def outcome_of(exit_code: int, retries: int) -> TaskOutcome:
    """Return the outcome of a process that ended with `exit_code` after `retries` retries.

    The rules are those of the podFailurePolicy of a cluster's Jobs. GIVE_UP and LEASE_LOST count
    as finished: the job reported the failure itself, or another process holds the task's lease.
    """
    if exit_code in (ExitCode.OK, ExitCode.GIVE_UP, ExitCode.LEASE_LOST):
        return TaskOutcome.FINISHED
    return TaskOutcome.RETRY if retries < MAX_RETRIES else TaskOutcome.GIVE_UP


def backoff_s(retries: int) -> float:
    """Return the pause before the next attempt: 1, 2, 4 seconds."""
    return float(2**retries)


class TaskPool:
    """Runs the tasks of one stage.

    `given_up` maps task indexes to the reason; `ended` counts the processes that have ended.
    """

    def __init__(
        self, start: Callable[[int], JobProcess], indexes: Sequence[int], *, workers: int
    ) -> None:
        self._start = start
        self._workers = workers
        self._waiting = [TaskAttempt(index) for index in indexes]
        self._running: list[tuple[TaskAttempt, JobProcess]] = []
        self.given_up: dict[int, str] = {}
        self.ended = 0

    @property
    def is_done(self) -> bool:
        """True when no task is running or waiting."""
        return not self._waiting and not self._running

    def step(self, now: float) -> None:
        """Handle processes that have ended, then start the attempts that are due."""
        for attempt, process in list(self._running):
            exit_code = process.poll()
            if exit_code is not None:
                self._running.remove((attempt, process))
                self.ended += 1
                self._handle_end(attempt, process, exit_code, now)
        for attempt in [attempt for attempt in self._waiting if attempt.not_before <= now]:
            if len(self._running) >= self._workers:
                return
            self._waiting.remove(attempt)
            self._running.append((attempt, self._start(attempt.index)))

    def _handle_end(
        self, attempt: TaskAttempt, process: JobProcess, exit_code: int, now: float
    ) -> None:
        outcome = outcome_of(exit_code, attempt.retries)
        if outcome is TaskOutcome.RETRY:
            due = now + backoff_s(attempt.retries)
            self._waiting.append(TaskAttempt(attempt.index, attempt.retries + 1, due))
        elif outcome is TaskOutcome.GIVE_UP:
            line = process.last_line() or "its log is empty"
            self.given_up[attempt.index] = (
                f"failed {attempt.retries + 1} times, last with exit code {exit_code}: {line}"
            )

    def stop_starting(self) -> None:
        """Start no further attempts; running processes end by themselves."""
        self._waiting.clear()

    def terminate(self) -> None:
        """End all processes and drop all waiting attempts."""
        self._waiting.clear()
        for _, process in self._running:
            process.terminate()
        self._running.clear()
