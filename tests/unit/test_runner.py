"""What the local run does when jobs end: decisions only, no process and no API."""

from pathlib import Path

import pytest

from clipmill.protocol import (
    ClipStatus,
    CompilationView,
    FailedTasks,
    Plan,
    QuotaEffect,
    Registration,
    Stage,
    State,
)
from clipmill.spec import CompilationSpec
from clipmill_cli.local.job_processes import environ
from clipmill_cli.local.job_runner import After, Crew, LocalRunner, RunError, after, wait_s
from clipmill_client.errors import PermanentError

QUOTA = QuotaEffect(estimated_seconds=1, remaining_seconds=None, limit_seconds=None)
WISH = Registration(
    namespace="default",
    name="friday",
    generation=1,
    owner="local",
    spec=CompilationSpec.model_validate({"clips": [{"mediaId": "m-abcd"}]}),
)


@pytest.mark.parametrize(
    ("code", "earlier", "action"),
    [
        (0, 0, After.LEAVE),
        (64, 0, After.LEAVE),
        (65, 3, After.LEAVE),
        (1, 0, After.RETRY),
        (1, 2, After.RETRY),
        (1, 3, After.REPORT),
        (-9, 0, After.RETRY),
        (137, 3, After.REPORT),
    ],
)
def test_what_follows_an_exit_code(code: int, earlier: int, action: After) -> None:
    """The API was told (0, 64), another holds the part (65), or the process just died."""
    assert after(code, earlier) is action


def test_the_pauses_grow() -> None:
    """One second, two, four."""
    assert [wait_s(i) for i in range(3)] == [1, 2, 4]


class FakeChild:
    """A child that has ended already, or runs until dismissed."""

    def __init__(self, code: int | None) -> None:
        self.code = code
        self.dismissed = False

    def poll(self) -> int | None:
        """Its exit code."""
        return self.code

    def dismiss(self) -> None:
        """Note that it was sent home."""
        self.dismissed = True

    def last_words(self) -> str:
        """What it said."""
        return "no space left"


def test_a_dying_job_is_tried_four_times_and_reported() -> None:
    """Each try after a longer pause, then one line with the job's last words."""
    starts: list[int] = []

    def start(index: int) -> FakeChild:
        starts.append(index)
        return FakeChild(1)

    crew, begun = Crew(start, [7], workers=2), []
    for now in range(20):
        before = len(starts)
        crew.step(float(now))
        begun += [now] * (len(starts) - before)
    assert crew.done
    assert begun == [0, 2, 5, 10]  # each end is seen one step after the start
    assert crew.failed == {7: "ended 4 times with exit 1: no space left"}


def test_no_more_children_than_workers() -> None:
    """The third part starts when one of the first two has ended."""
    children: dict[int, FakeChild] = {}

    def start(index: int) -> FakeChild:
        children[index] = FakeChild(None)
        return children[index]

    crew = Crew(start, [0, 1, 2], workers=2)
    crew.step(0)
    crew.step(1)
    assert sorted(children) == [0, 1]
    children[0].code = 0
    crew.step(2)
    assert sorted(children) == [0, 1, 2]
    crew.dismiss()
    assert crew.done
    assert children[1].dismissed


class FakeOperator:
    """An API that knows one compilation: its answers are given, its calls noted."""

    def __init__(self, *states: State, generation: int = 0, conflict: bool = False) -> None:
        self.states = list(states)
        self.generation = generation
        self.conflict = conflict
        self.calls: list[str] = []
        self.state = State.SUCCEEDED

    def view(self, uid: str) -> CompilationView:
        """404 before the first registration."""
        if not self.generation:
            raise PermanentError("NotFound", "there is none", status=404)
        state = self.states[0] if self.states else self.state
        return CompilationView(
            id="c-abcd",
            name="friday",
            namespace="default",
            owner="local",
            generation=self.generation,
            state=state,
            clips=[],
            created_at="",
        )

    def register(self, uid: str, wish: Registration) -> Plan:
        """A known generation with another spec is a conflict."""
        self.calls.append(f"register {wish.generation}")
        if self.conflict and wish.generation == self.generation:
            raise PermanentError("GenerationConflict", "another spec", status=409)
        self.generation = wish.generation
        return self.plan(uid)

    def plan(self, uid: str) -> Plan:
        """The next of the given states."""
        state = self.states.pop(0) if self.states else self.state
        return Plan(
            compilation_id="c-abcd",
            generation=self.generation,
            state=state,
            clips=[ClipStatus(id="k-abcd", name="a", state="Waiting")],
            outputs=[],
            quota=QUOTA,
            to_fetch=[0] if state is State.FETCHING else [],
        )

    def mint(self, uid: str, stage: Stage, generation: int) -> str:
        """A key for a stage."""
        self.calls.append(f"mint {stage}")
        return "cm_j_key"

    def failed(self, uid: str, tasks: FailedTasks) -> Plan:
        """Parts given up."""
        self.calls.append(f"failed {tasks.stage} {tasks.indexes}: {tasks.message}")
        return self.plan(uid)


def runner(operator: FakeOperator, code: int = 0) -> LocalRunner:
    """A runner whose jobs end at once and whose clock leaps over every pause."""
    clock = iter(range(10**6))
    return LocalRunner(
        operator,  # type: ignore[arg-type]  # a fake of the same shape
        lambda stage, index, key: FakeChild(code),
        pause=lambda s: None,
        clock=lambda: float(next(clock)),
    )


@pytest.mark.parametrize(
    ("known", "calls"),
    [
        (FakeOperator(), ["register 1"]),
        (FakeOperator(State.FETCHING, generation=4), ["register 4"]),
        (FakeOperator(State.FETCHING, generation=4, conflict=True), ["register 4", "register 5"]),
        (FakeOperator(State.FAILED, generation=4), ["register 5"]),
        (FakeOperator(State.SUCCEEDED, generation=1), ["register 2"]),
    ],
)
def test_which_generation_is_registered(known: FakeOperator, calls: list[str]) -> None:
    """An interrupted run goes on; a changed spec, or one that has ended, is the next one."""
    runner(known).register("local-friday", WISH)
    assert known.calls == calls


def test_fetch_then_assemble_then_the_end() -> None:
    """One key for each stage; the time of each is kept."""
    operator = FakeOperator(State.FETCHING, State.RENDERING, State.SUCCEEDED, generation=1)
    run = runner(operator)
    view = run.run("local-friday", operator.plan("local-friday"))
    assert view.state is State.SUCCEEDED
    assert operator.calls == ["mint fetch", "mint assemble"]
    assert set(run.spent_s) == {"fetch", "assemble"}


def test_a_part_given_up_is_told_to_the_api() -> None:
    """The API decides what a dead fetch means for the compilation."""
    operator = FakeOperator(State.FETCHING, State.FETCHING, State.SUCCEEDED, generation=1)
    runner(operator, code=1).run("local-friday", operator.plan("local-friday"))
    assert operator.calls == [
        "mint fetch",
        "failed fetch [0]: ended 4 times with exit 1: no space left",
    ]


def test_jobs_that_leave_without_a_word_do_not_loop_for_ever() -> None:
    """Told once; if the API wants the part still, the run ends with one clear line."""
    operator = FakeOperator(generation=1)
    operator.state = State.FETCHING
    with pytest.raises(RunError, match="still wants tasks"):
        runner(operator).run("local-friday", operator.plan("local-friday"))
    told = [call for call in operator.calls if call.startswith("failed")]
    assert told == ["failed fetch [0]: its jobs left without telling what became of it"]


def test_a_job_is_told_url_and_key_and_no_more(tmp_path: Path) -> None:
    """Its environment: a pod's three variables, and where programs and scratch are."""
    found = environ("http://127.0.0.1:1", "cm_j_key", 3, tmp_path)
    pods = {"CLIPMILL_API_URL", "CLIPMILL_API_KEY", "JOB_COMPLETION_INDEX"}
    assert set(found) - pods == {"PATH", "HOME", "TMPDIR"}
    assert found["JOB_COMPLETION_INDEX"] == "3"
    assert found["HOME"] == found["TMPDIR"] == str(tmp_path)
