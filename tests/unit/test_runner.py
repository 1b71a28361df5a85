"""What a local run does when jobs end, with fake processes and a fake API."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipmill.protocol import (
    ClipStatus,
    CompilationState,
    CompilationView,
    ExitCode,
    FailedTasks,
    Plan,
    QuotaEffect,
    Registration,
    Stage,
)
from clipmill.spec import CompilationSpec
from clipmill_cli.errors import RunError
from clipmill_cli.local.job_processes import job_environ
from clipmill_cli.local.local_runner import LocalRunner, register
from clipmill_cli.local.task_pool import TaskOutcome, TaskPool, backoff_s, outcome_of
from clipmill_client.errors import PermanentError

FETCHING, RENDERING = CompilationState.FETCHING, CompilationState.RENDERING
SUCCEEDED, FAILED = CompilationState.SUCCEEDED, CompilationState.FAILED
QUOTA = QuotaEffect(estimated_seconds=1, remaining_seconds=None, limit_seconds=None)
REGISTRATION = Registration(
    namespace="default",
    name="friday",
    generation=1,
    owner="local",
    spec=CompilationSpec.model_validate({"clips": [{"mediaId": "m-abcd"}]}),
)


@pytest.mark.parametrize(
    ("exit_code", "retries", "outcome"),
    [
        (ExitCode.OK, 0, TaskOutcome.FINISHED),
        (ExitCode.GIVE_UP, 0, TaskOutcome.FINISHED),
        (ExitCode.LEASE_LOST, 3, TaskOutcome.FINISHED),
        (1, 0, TaskOutcome.RETRY),
        (1, 2, TaskOutcome.RETRY),
        (1, 3, TaskOutcome.GIVE_UP),
        (-9, 0, TaskOutcome.RETRY),
        (137, 3, TaskOutcome.GIVE_UP),
    ],
)
def test_outcome_of_an_exit_code(exit_code: int, retries: int, outcome: TaskOutcome) -> None:
    """A task is finished if its job reported to the API or lost its lease, else it is retried."""
    assert outcome_of(exit_code, retries) is outcome


def test_backoff_doubles() -> None:
    """The pauses before three retries."""
    assert [backoff_s(retries) for retries in range(3)] == [1, 2, 4]


class FakeProcess:
    """A process that has ended with `exit_code`, or runs while that is None."""

    def __init__(self, exit_code: int | None) -> None:
        self.exit_code = exit_code
        self.terminated = False

    def poll(self) -> int | None:
        """Return the exit code."""
        return self.exit_code

    def terminate(self) -> None:
        """Record the call."""
        self.terminated = True

    def last_line(self) -> str:
        """Return a line of a log."""
        return "no space left"


def test_a_failing_task_is_given_up_after_three_retries() -> None:
    """Each attempt starts after its backoff; the reason holds the exit code and the log's end."""
    starts: list[int] = []

    def start(index: int) -> FakeProcess:
        starts.append(index)
        return FakeProcess(137)

    pool, started_at = TaskPool(start, [7], workers=2), []
    for now in range(20):
        before = len(starts)
        pool.step(float(now))
        started_at += [now] * (len(starts) - before)
    assert pool.is_done
    assert started_at == [0, 2, 5, 10]  # the end of a process is seen one step after its start
    assert list(pool.given_up) == [7]
    assert "137" in pool.given_up[7]
    assert pool.given_up[7].endswith("no space left")


def test_at_most_workers_processes_run_at_once() -> None:
    """The third task starts when one of the first two has ended."""
    processes: dict[int, FakeProcess] = {}

    def start(index: int) -> FakeProcess:
        processes[index] = FakeProcess(None)
        return processes[index]

    pool = TaskPool(start, [0, 1, 2], workers=2)
    pool.step(0)
    pool.step(1)
    assert sorted(processes) == [0, 1]
    processes[0].exit_code = 0
    pool.step(2)
    assert sorted(processes) == [0, 1, 2]
    pool.terminate()
    assert pool.is_done
    assert [processes[index].terminated for index in (1, 2)] == [True, True]


class FakeRunnerAPI:
    """An API with one compilation: the states are given, the calls are recorded."""

    def __init__(
        self, *states: CompilationState, generation: int = 0, conflict: bool = False
    ) -> None:
        self.states = list(states)
        self.generation = generation
        self.conflict = conflict
        self.calls: list[tuple[object, ...]] = []
        self.messages: list[str] = []
        self.last_state = SUCCEEDED

    def view(self, uid: str) -> CompilationView:
        """Return the current view; 404 before the first registration."""
        if not self.generation:
            raise PermanentError("NotFound", "not registered", status=404)
        return CompilationView(
            id="c-abcd",
            name="friday",
            namespace="default",
            owner="local",
            generation=self.generation,
            state=self.states[0] if self.states else self.last_state,
            clips=[],
            created_at="",
        )

    def register(self, uid: str, registration: Registration) -> Plan:
        """Accept a generation; the current one with another spec is a conflict."""
        self.calls.append(("register", registration.generation))
        if self.conflict and registration.generation == self.generation:
            raise PermanentError("GenerationConflict", "another spec", status=409)
        self.generation = registration.generation
        return self.plan(uid)

    def plan(self, uid: str) -> Plan:
        """Return a plan with the next state."""
        state = self.states.pop(0) if self.states else self.last_state
        return Plan(
            compilation_id="c-abcd",
            generation=self.generation,
            state=state,
            clips=[ClipStatus(id="k-abcd", name="a", state="Waiting")],
            outputs=[],
            quota=QUOTA,
            to_fetch=[0] if state is FETCHING else [],
        )

    def create_key(self, uid: str, stage: Stage, generation: int) -> str:
        """Return a key for a stage."""
        self.calls.append(("key", stage))
        return "cm_j_key"

    def report_failed_tasks(self, uid: str, tasks: FailedTasks) -> Plan:
        """Accept the report."""
        self.calls.append(("failed", tasks.stage, tuple(tasks.indexes)))
        self.messages.append(tasks.message)
        return self.plan(uid)


def runner(api: FakeRunnerAPI, exit_code: int = 0) -> LocalRunner:
    """Return a runner whose jobs end at once and whose clock advances without waiting."""
    clock = iter(range(10**6))
    return LocalRunner(
        api,  # type: ignore[arg-type]  a fake of the same shape
        lambda stage, index, key: FakeProcess(exit_code),
        pause=lambda seconds: None,
        clock=lambda: float(next(clock)),
    )


@pytest.mark.parametrize(
    ("api", "generations"),
    [
        (FakeRunnerAPI(), [1]),
        (FakeRunnerAPI(FETCHING, generation=4), [4]),
        (FakeRunnerAPI(FETCHING, generation=4, conflict=True), [4, 5]),
        (FakeRunnerAPI(FAILED, generation=4), [5]),
        (FakeRunnerAPI(SUCCEEDED, generation=1), [2]),
    ],
)
def test_which_generation_is_registered(api: FakeRunnerAPI, generations: list[int]) -> None:
    """An interrupted run keeps its generation; a changed spec or a finished one gets the next."""
    register(api, "local-friday", REGISTRATION)  # type: ignore[arg-type]
    assert api.calls == [("register", generation) for generation in generations]


def test_fetch_then_assemble_until_the_final_state() -> None:
    """Each stage has its own key, and its time is recorded."""
    api = FakeRunnerAPI(FETCHING, RENDERING, SUCCEEDED, generation=1)
    local = runner(api)
    view = local.run("local-friday", api.plan("local-friday"))
    assert view.state is SUCCEEDED
    assert api.calls == [("key", Stage.FETCH), ("key", Stage.ASSEMBLE)]
    assert set(local.spent_s) == {"fetch", "assemble"}


def test_progress_is_read_by_time_and_when_a_job_ends() -> None:
    """A job of ten seconds costs a call every two seconds, not one at each look at its process."""
    now, views = [0.0], []
    process = FakeProcess(None)

    def pause(seconds: float) -> None:
        now[0] += seconds
        process.exit_code = 0 if now[0] >= 9 else None

    api = FakeRunnerAPI(RENDERING, SUCCEEDED, generation=1)
    local = LocalRunner(
        api,  # type: ignore[arg-type]  a fake of the same shape
        lambda stage, index, key: process,  # type: ignore[arg-type, return-value]
        on_progress=lambda view: views.append(now[0]),
        pause=pause,
        clock=lambda: now[0],
    )
    local.run("local-friday", api.plan("local-friday"))
    assert [round(at) for at in views] == [0, 2, 4, 6, 8, 9, 9]


def test_a_task_that_is_given_up_is_reported() -> None:
    """The API decides what a failed fetch means for the compilation."""
    api = FakeRunnerAPI(FETCHING, FETCHING, SUCCEEDED, generation=1)
    runner(api, exit_code=1).run("local-friday", api.plan("local-friday"))
    assert api.calls == [("key", Stage.FETCH), ("failed", Stage.FETCH, (0,))]
    assert api.messages[0].endswith("no space left")


def test_jobs_without_a_result_do_not_loop_for_ever() -> None:
    """The task is reported as failed once; if the API repeats it, the run ends with an error."""
    api = FakeRunnerAPI(generation=1)
    api.last_state = FETCHING
    with pytest.raises(RunError):
        runner(api).run("local-friday", api.plan("local-friday"))
    assert api.calls.count(("failed", Stage.FETCH, (0,))) == 1


def test_a_plan_without_tasks_ends_the_run() -> None:
    """There is nothing that a runner could do."""
    api = FakeRunnerAPI(generation=1)
    plan = api.plan("local-friday").model_copy(update={"state": FETCHING, "to_fetch": []})
    with pytest.raises(RunError):
        runner(api).run("local-friday", plan)
    assert api.calls == []


def test_the_environment_of_a_job(tmp_path: Path) -> None:
    """The variables of a pod, PATH and the scratch folder."""
    environ = job_environ("http://127.0.0.1:1", "cm_j_key", 3, tmp_path)
    pod_variables = {"CLIPMILL_API_URL", "CLIPMILL_API_KEY", "JOB_COMPLETION_INDEX"}
    assert set(environ) - pod_variables == {"PATH", "HOME", "TMPDIR"}
    assert environ["JOB_COMPLETION_INDEX"] == "3"
    assert environ["HOME"] == environ["TMPDIR"] == str(tmp_path)
