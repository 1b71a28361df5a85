"""What the operator decides: one row a situation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clipmill.protocol import (
    ClipState,
    ClipStatus,
    OutputResult,
    Plan,
    QuotaEffect,
    SegmentCounts,
    State,
    TaskCounts,
)
from clipmill_operator.reconciling import status
from clipmill_operator.reconciling.decide import (
    Answer,
    Decision,
    Drop,
    Rekey,
    Report,
    Start,
    decide,
)
from clipmill_operator.reconciling.events import story
from clipmill_operator.reconciling.observed import Children, SeenJob, SeenPod, Wish, indexes
from clipmill_operator.reconciling.status import Refusal

NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T01:00:00Z"
WISH = Wish("default", "demo", "uid-1", 1, NOW, {}, {})


def clip(name: str, state: str = "Waiting", **more: Any) -> ClipStatus:
    """One clip of a plan."""
    return ClipStatus(id="k-abcd", name=name, state=ClipState(state), **more)


def plan(state: State, *clips: ClipStatus, **more: Any) -> Plan:
    """What the API says."""
    return Plan(
        compilation_id="c-abcd",
        generation=more.pop("generation", 1),
        state=state,
        clips=list(clips) or [clip("a"), clip("b", "Ready"), clip("c")],
        outputs=[],
        quota=QuotaEffect(estimated_seconds=9, remaining_seconds=None, limit_seconds=None),
        **more,
    )


FETCHING = plan(State.FETCHING, tasks=TaskCounts(fetch=2), to_fetch=[0, 1])
RENDERING = plan(State.RENDERING, clip("a", "Ready"), segments=SegmentCounts(total=5, reused=3))
MANY = plan(
    State.RENDERING,
    clip("a", "Ready"),
    segments=SegmentCounts(total=40, reused=10),
    tasks=TaskCounts(render=5),
)
DONE = plan(
    State.SUCCEEDED,
    clip("a", "Ready"),
    percent=100,
    segments=SegmentCounts(total=5, reused=3, rendered=2),
    results=[OutputResult(name="main", media_id="m-abcd", frames=60, duration_us=2_000_000)],
)


def job(stage: str, **more: Any) -> SeenJob:
    """A Job of generation 1 that goes on."""
    made = SeenJob("default", f"demo-{stage}", f"uid-{stage}", "uid-1", stage, 1)
    return replace(made, **more)


def pod(stage: str, name: str = "p0", **more: Any) -> SeenPod:
    """A pod of that Job."""
    made = SeenPod("default", name, f"demo-{stage}", "uid-1", 1, 0, "Pending")
    return replace(made, **more)


def seen(*objects: SeenJob | SeenPod) -> Children:
    """What there is."""
    jobs = tuple(one for one in objects if isinstance(one, SeenJob))
    return Children(jobs, tuple(one for one in objects if isinstance(one, SeenPod)))


def decided(answer: Plan | Answer, children: Children, **more: Any) -> Decision:
    """The decision with the usual settings."""
    if isinstance(answer, Plan):
        answer = Answer(owner="ada", plan=answer)
    given = {"may_start": True, "render_from": 24, "now": NOW, **more}
    return decide(given.pop("wish", WISH), children, answer, **given)


def short(decision: Decision) -> list[str]:
    """The actions in short."""
    told = []
    for action in decision.actions:
        match action:
            case Start(stage, tasks):
                told.append(f"start {stage} {tasks}")
            case Drop(one):
                told.append(f"drop {one.name} g{one.generation}")
            case Rekey(one):
                told.append(f"rekey {one.name}")
            case Report(tasks):
                told.append(f"report {tasks.stage} {tasks.indexes} {tasks.message}")
    return told


KEYLESS = {"waiting": "CreateContainerConfigError"}
RUNS = {"phase": "Running", "name": "p1"}
SAID = {"phase": "Failed", "exit_code": 1, "why": "no space left"}
TABLE = {
    "registered: the missing clips are fetched": (FETCHING, seen(), ["start fetch 2"]),
    "a fetch goes on": (FETCHING, seen(job("fetch"), pod("fetch")), []),
    "an index was given up, with its last words": (
        FETCHING,
        seen(job("fetch", failed=frozenset({0})), pod("fetch", **SAID)),
        ["report fetch [0] its pod ended with exit 1: no space left"],
    ),
    "an index that the API had told is no news": (
        plan(State.FETCHING, tasks=TaskCounts(fetch=2), to_fetch=[1]),
        seen(job("fetch", failed=frozenset({0}))),
        [],
    ),
    "the fetch ended, but clips are missing": (
        FETCHING,
        seen(job("fetch", end="Failed", why="DeadlineExceeded")),
        ["report fetch [0] DeadlineExceeded", "report fetch [1] DeadlineExceeded"],
    ),
    "the fetch ended well, but its pods said nothing": (
        plan(State.FETCHING, tasks=TaskCounts(fetch=1), to_fetch=[0]),
        seen(job("fetch", end="Complete")),
        ["report fetch [0] its pods ended without telling what became of it"],
    ),
    "a fetch Job that a person deleted is made again": (FETCHING, seen(), ["start fetch 2"]),
    "the Secret is missing": (
        FETCHING,
        seen(job("fetch"), pod("fetch", **KEYLESS)),
        ["rekey demo-fetch"],
    ),
    "the Secret is missing, but a pod runs with its key": (
        FETCHING,
        seen(job("fetch"), pod("fetch", **KEYLESS), pod("fetch", **RUNS)),
        [],
    ),
    "all clips are here": (RENDERING, seen(), ["start assemble 1"]),
    "the fetch Job does not hold up the assembly": (
        RENDERING,
        seen(job("fetch")),
        ["start assemble 1"],
    ),
    "many segments are missing": (MANY, seen(), ["start render 5"]),
    "the shards are rendered": (MANY, seen(job("render")), []),
    "the shards are done, well or not": (
        MANY,
        seen(job("render", end="Failed")),
        ["start assemble 1"],
    ),
    "an assembly goes on, though shards would pay": (MANY, seen(job("assemble")), []),
    "the assembly ended without a result": (
        RENDERING,
        seen(job("assemble", end="Failed", why="BackoffLimitExceeded")),
        ["report assemble [0] BackoffLimitExceeded"],
    ),
    "a pod was not cut off": (
        FETCHING,
        seen(job("fetch"), pod("fetch", phase="Failed", exit_code=66, why="10.0.0.9 answered")),
        ["report fetch [] pod p0: 10.0.0.9 answered"],
    ),
    "done: Jobs end by themselves": (DONE, seen(job("assemble")), []),
    "failed: what goes on is stopped": (
        plan(State.FAILED, reason="ClipFailed"),
        seen(job("fetch"), job("render", end="Complete")),
        ["drop demo-fetch g1"],
    ),
    "cancelled: what goes on is stopped": (
        plan(State.CANCELLED),
        seen(job("assemble")),
        ["drop demo-assemble g1"],
    ),
    "edited: the older generation's Jobs go": (
        plan(State.FETCHING, generation=2, tasks=TaskCounts(fetch=2), to_fetch=[0]),
        seen(job("fetch"), job("assemble", end="Complete")),
        ["drop demo-fetch g1", "drop demo-assemble g1", "start fetch 2"],
    ),
    "a Job that is being deleted is left to it": (
        plan(State.FAILED),
        seen(job("fetch", leaving=True)),
        [],
    ),
}


@pytest.mark.parametrize(("answer", "children", "actions"), TABLE.values(), ids=TABLE)
def test_actions(answer: Plan, children: Children, actions: list[str]) -> None:
    """Each situation and what is done."""
    assert short(decided(answer, children)) == actions


@pytest.mark.parametrize(
    ("answer", "children", "render_from", "actions"),
    [
        (MANY, seen(), 0, ["start assemble 1"]),
        (MANY, seen(), 30, ["start render 5"]),
        (MANY, seen(), 31, ["start assemble 1"]),
    ],
)
def test_when_shards_pay(
    answer: Plan, children: Children, render_from: int, actions: list[str]
) -> None:
    """From so many missing segments on; 0 is never."""
    assert short(decided(answer, children, render_from=render_from)) == actions


def test_without_a_place_it_waits() -> None:
    """No Job, and the status says why; one that has started goes on."""
    decision = decided(FETCHING, seen(), may_start=False)
    assert decision.actions == ()
    assert decision.status is not None
    assert (decision.status.phase, decision.status.reason) == ("Pending", "Queued")
    assert [event.reason for event in story(WISH, decision)] == ["Accepted", "Queued"]
    started = decided(RENDERING, seen(job("fetch", end="Complete")), may_start=False)
    assert short(started) == ["start assemble 1"]


@pytest.mark.parametrize(
    ("waiting", "said"),
    [
        ("ImagePullBackOff", "1 pods do not start: ImagePullBackOff"),
        ("ErrImagePull", "1 pods do not start: ImagePullBackOff"),
        ("Unschedulable", "1 pods do not start: Unschedulable"),
        ("ContainerCreating", "1 of 3 clips are here"),
    ],
)
def test_pods_that_do_not_start_are_told_of(waiting: str, said: str) -> None:
    """Why, instead of silence until the deadline."""
    decision = decided(FETCHING, seen(job("fetch"), pod("fetch", waiting=waiting)))
    assert decision.status is not None
    assert decision.status.message == said


def test_a_refusal_leaves_no_pods() -> None:
    """Accepted is False with the numbers; Jobs of the spec before are stopped."""
    told = "rendering takes 60s, but only 5s of the 100s of 2026-01 are left"
    refusal = Answer(owner="ada", refusal=Refusal("QuotaExceeded", told))
    decision = decided(refusal, seen(job("fetch")))
    assert short(decision) == ["drop demo-fetch g1"]
    assert decision.status is not None
    (condition,) = decision.status.conditions
    assert (condition.type, condition.status, condition.reason) == (
        "Accepted",
        "False",
        "QuotaExceeded",
    )
    assert condition.message == told
    assert decision.status.phase == "Refused"


def test_an_api_that_does_not_answer_changes_nothing_but_the_word() -> None:
    """What was known stays; at first sight nothing is known."""
    first = decided(Answer(trouble="the API: no answer"), seen(job("fetch")))
    assert (first.actions, first.status and first.status.reason) == ((), "ApiUnreachable")
    known = status.dumped(status.accepted(WISH, FETCHING, "ada", queued=False, now=NOW))
    later = decided(Answer(trouble="the API: no answer"), seen(), wish=replace(WISH, status=known))
    assert later.status is not None
    assert status.dumped(later.status) == known | {
        "reason": "ApiUnreachable",
        "message": "the API: no answer",
    }


ALL = [FETCHING, RENDERING, MANY, DONE, plan(State.FAILED, reason="TooFewClips", message="1 of 3")]


@pytest.mark.parametrize("answer", ALL, ids=[one.state for one in ALL])
def test_a_status_is_written_once(answer: Plan) -> None:
    """What is written is what is compared: the second look has nothing to write, even later."""
    first = decided(answer, seen())
    assert first.status is not None
    written = replace(WISH, status=status.dumped(first.status))
    assert decided(answer, seen(), wish=written, now=LATER).status is None


def at(percent: int, eta: str | None) -> Plan:
    """A render that has come so far."""
    return RENDERING.model_copy(update={"percent": percent, "eta": eta})


def test_the_eta_moves_with_the_percent() -> None:
    """Within a step of five the first guess stays, so that nothing is written; then the next."""
    first = decided(at(41, "2026-01-01T00:10:00Z"), seen())
    assert first.status is not None
    assert first.status.progress.eta == "2026-01-01T00:10:00Z"
    written = replace(WISH, status=status.dumped(first.status))
    assert decided(at(44, "2026-01-01T00:09:00Z"), seen(), wish=written).status is None
    step = decided(at(45, "2026-01-01T00:08:00Z"), seen(), wish=written).status
    assert step is not None
    assert (step.progress.percent, step.progress.eta) == (45, "2026-01-01T00:08:00Z")
    edited = decided(at(41, None), seen(), wish=replace(written, generation=2)).status
    assert edited is not None
    assert edited.progress.eta is None


def test_times_tell_when_a_finding_changed() -> None:
    """A condition that stays keeps its time; one that turns gets the new one."""
    first = decided(FETCHING, seen())
    assert first.status is not None
    then = decided(
        RENDERING, seen(), wish=replace(WISH, status=status.dumped(first.status)), now=LATER
    )
    assert then.status is not None
    times = {c.type: c.last_transition_time for c in then.status.conditions}
    assert (times["Accepted"], times["Fetched"], times["Complete"]) == (NOW, LATER, NOW)


def test_skipped_clips_are_named() -> None:
    """Degraded says which clips and why."""
    clips = [
        clip("a", "Ready"),
        clip("b", "Skipped", reason="Truncated", message="ends after 3 s"),
    ]
    decision = decided(plan(State.RENDERING, *clips), seen())
    assert decision.status is not None
    found = {c.type: c.message for c in decision.status.conditions}
    assert found["Degraded"] == "b: Truncated (ends after 3 s)"
    assert found["Fetched"] == "1 of 2 clips are here, 1 were skipped"
    assert decision.status.clips_ready == "1/2"


def test_the_ends_are_there_from_the_start() -> None:
    """`kubectl wait` finds Complete and Failed, whichever comes."""
    for answer, complete, failed in [
        (FETCHING, "False", "False"),
        (DONE, "True", "False"),
        (ALL[-1], "False", "True"),
    ]:
        decision = decided(answer, seen())
        assert decision.status is not None
        found = {c.type: c.status for c in decision.status.conditions}
        assert (found["Complete"], found["Failed"]) == (complete, failed)


def test_the_story_is_told_once() -> None:
    """Each turn is one event; a second look at the same adds none."""
    decision = decided(FETCHING, seen())
    assert [e.reason for e in story(WISH, decision)] == ["FetchStarted", "Accepted"]
    assert decision.status is not None
    written = replace(WISH, status=status.dumped(decision.status))
    assert story(written, decided(FETCHING, seen(job("fetch")), wish=written)) == []
    done = decided(DONE, seen(job("assemble")), wish=written)
    assert [e.reason for e in story(written, done)] == ["Fetched", "Succeeded"]


@pytest.mark.parametrize(("text", "found"), [("", set()), ("3", {3}), ("0,2-4,9", {0, 2, 3, 4, 9})])
def test_failed_indexes_are_read(text: str, found: set[int]) -> None:
    """As a Job's status writes them."""
    assert indexes(text) == found
