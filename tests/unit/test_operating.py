"""The operator of `clipmill serve`: what it renders, gives up and leaves to others."""

from __future__ import annotations

import errno
from threading import Event

import pytest

from clipmill.protocol import (
    ActiveCompilation,
    CompilationState,
    CompilationView,
    FailedTasks,
    Plan,
    QuotaEffect,
    Stage,
)
from clipmill_cli.local.embedded_operator import (
    EmbeddedOperator,
    OperatorFailed,
    OperatorRestarting,
    Stopped,
)
from clipmill_client.errors import RetryableError

QUOTA = QuotaEffect(estimated_seconds=1, remaining_seconds=None, limit_seconds=None)


def active(uid: str) -> ActiveCompilation:
    """Return a compilation in progress."""
    return ActiveCompilation(
        uid=uid,
        id="c-0123",
        name="friday",
        namespace="default",
        owner="ada",
        generation=1,
        state=CompilationState.FETCHING,
        stage=Stage.FETCH,
        clips=[],
        created_at="",
    )


class FakeOperatorAPI:
    """An API with compilations in stage fetch whose plans name the tasks `to_fetch`."""

    def __init__(self, *uids: str, to_fetch: tuple[int, ...] = ()) -> None:
        self.compilations = [active(uid) for uid in uids]
        self.to_fetch = to_fetch
        self.reports: list[FailedTasks] = []
        self.unreachable = False

    def active_compilations(self) -> list[ActiveCompilation]:
        """Return the compilations in progress."""
        if self.unreachable:
            raise RetryableError("Unreachable", "connection refused")
        return self.compilations

    def view(self, uid: str) -> CompilationView:
        """Return the compilation."""
        return next(item for item in self.compilations if item.uid == uid)

    def plan(self, uid: str) -> Plan:
        """Return a plan in stage fetch."""
        return Plan(
            compilation_id="c-0123",
            generation=1,
            state=CompilationState.FETCHING,
            clips=[],
            outputs=[],
            quota=QUOTA,
            to_fetch=list(self.to_fetch),
        )

    def create_key(self, uid: str, stage: Stage, generation: int) -> str:
        """Return a key for a stage."""
        return "cm_j_key"

    def report_failed_tasks(self, uid: str, tasks: FailedTasks) -> Plan:
        """Record the report."""
        self.reports.append(tasks)
        return self.plan(uid)


class EndlessProcess:
    """A process that runs until it is terminated."""

    def __init__(self) -> None:
        self.started = Event()
        self.terminated = False

    def __call__(self, stage: Stage, task_index: int, key: str) -> EndlessProcess:
        """Start."""
        self.started.set()
        return self

    def poll(self) -> int | None:
        """Return no exit code."""
        return None

    def terminate(self) -> None:
        """Record the call."""
        self.terminated = True

    def last_line(self) -> str:
        """Return an empty log."""
        return ""


def operator(api: FakeOperatorAPI, process: EndlessProcess | None = None) -> EmbeddedOperator:
    """Return an operator whose thread is not started."""
    return EmbeddedOperator(api, process or EndlessProcess(), workers=1)  # type: ignore[arg-type]


def test_only_submitted_compilations_are_pending() -> None:
    """Those of `clipmill render` and of a cluster belong to other operators."""
    api = FakeOperatorAPI("local-default.friday", "6f9c2f4e-1111", "r-0123")
    assert [compilation.uid for compilation in operator(api).pending()] == ["r-0123"]


def test_a_compilation_without_tasks_is_given_up_and_reported_once() -> None:
    """It is no longer pending, so that the next one is rendered."""
    api = FakeOperatorAPI("r-0123")
    embedded = operator(api)
    assert embedded.reconcile() is True
    assert [(report.stage, report.generation) for report in api.reports] == [(Stage.FETCH, 1)]
    assert embedded.pending() == []
    assert embedded.reconcile() is False
    assert len(api.reports) == 1


def test_an_unreachable_api_is_retried() -> None:
    """Nothing is given up."""
    api = FakeOperatorAPI("r-0123")
    embedded = operator(api)
    api.unreachable = True
    assert embedded.reconcile() is False
    api.unreachable = False
    assert [compilation.uid for compilation in embedded.pending()] == ["r-0123"]


def test_stopping_the_server_terminates_running_jobs() -> None:
    """The thread leaves a render in progress; the next start continues it."""
    process = EndlessProcess()
    with operator(FakeOperatorAPI("r-0123", to_fetch=(0,)), process):
        assert process.started.wait(30)
    assert process.terminated


class BrokenStart:
    """Fails to start a process: the disk is full."""

    def __call__(self, *_: object) -> EndlessProcess:
        """Raise OSError."""
        raise OSError(errno.ENOSPC, "No space left on device")


def supervised(
    start: object, monkeypatch: pytest.MonkeyPatch
) -> tuple[EmbeddedOperator, list[float], Event]:
    """Return an operator, its pauses so far, and an event that is set when it gives up."""
    gave_up, pauses = Event(), list[float]()
    embedded = EmbeddedOperator(
        FakeOperatorAPI("r-0123", to_fetch=(0,)),  # type: ignore[arg-type]
        start,  # type: ignore[arg-type]
        workers=1,
        on_failed=gave_up.set,
    )
    monkeypatch.setattr(embedded, "_pause", pauses.append)
    return embedded, pauses, gave_up


def test_an_unexpected_error_does_not_end_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """It starts again after pauses that double, gives up after six failures, and says so."""
    embedded, pauses, gave_up = supervised(BrokenStart(), monkeypatch)
    embedded.check()
    with embedded:
        assert gave_up.wait(30)
    assert [pause for pause in pauses if pause >= 1] == [1, 2, 4, 8, 16]
    with pytest.raises(OperatorFailed, match=r"6 times in a row, last with OSError: .*No space"):
        embedded.check()


def test_an_operator_that_recovers_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not ready between a failure and the next success."""
    embedded, pauses, _ = supervised(BrokenStart(), monkeypatch)
    states: list[str] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        states.append(state_of(embedded))
        monkeypatch.setattr(embedded, "pending", list)
        if len(states) > 1:
            raise Stopped

    monkeypatch.setattr(embedded, "_pause", pause)
    with embedded:
        pass
    assert (states, pauses[0]) == (["OperatorRestarting", "ready"], 1)


def state_of(embedded: EmbeddedOperator) -> str:
    """Return the name of the error that its readiness check raises, or `ready`."""
    try:
        embedded.check()
    except (OperatorRestarting, OperatorFailed) as error:
        return type(error).__name__
    return "ready"
