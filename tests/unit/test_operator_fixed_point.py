"""Whatever happens, repeated decide and act comes to rest, and comes to an end when pods work."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from clipmill.protocol import (
    ENDS,
    ClipState,
    ClipStatus,
    FailedTasks,
    Plan,
    QuotaEffect,
    SegmentCounts,
    Stage,
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
from clipmill_operator.reconciling.observed import Children, SeenJob, SeenPod, Wish
from clipmill_operator.reconciling.status import Refusal

MOST_ROUNDS = 12
RENDER_FROM = 4


@dataclass
class World:
    """A cluster and an API, as far as one resource can tell."""

    clips: int
    generation: int = 1
    refused: bool = False
    down: bool = False
    place: bool = True
    state: State = State.FETCHING
    states: list[ClipState] = field(default_factory=list)
    segments: int = 6
    missing: int = 0
    status: dict[str, object] = field(default_factory=dict)
    jobs: dict[str, SeenJob] = field(default_factory=dict)
    pods: dict[str, SeenPod] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    successes: int = 0

    def __post_init__(self) -> None:
        self._begin()

    # --- the API --------------------------------------------------------------------------

    def _begin(self) -> None:
        self.states = [ClipState.WAITING] * self.clips
        self.state, self.missing = State.FETCHING, self.segments
        self._advance()

    def _advance(self) -> None:
        if self.state is State.FETCHING and ClipState.WAITING not in self.states:
            good = ClipState.READY in self.states or not self.states
            self.state = State.RENDERING if good else State.FAILED

    def answer(self) -> Answer:
        """To the operator."""
        if self.down:
            return Answer(trouble="the API: no answer")
        if self.refused:
            return Answer(owner="ada", refusal=Refusal("QuotaExceeded", "9s, but 0s are left"))
        waiting = [i for i, s in enumerate(self.states) if s is ClipState.WAITING]
        plan = Plan(
            compilation_id="c-abcd",
            generation=self.generation,
            state=self.state,
            clips=[ClipStatus(id="k-abcd", name="c", state=one) for one in self.states],
            outputs=[],
            quota=QuotaEffect(estimated_seconds=9, remaining_seconds=None, limit_seconds=None),
            segments=SegmentCounts(total=8, reused=8 - self.missing),
            tasks=TaskCounts(fetch=self.clips, render=2),
            to_fetch=waiting if self.state is State.FETCHING else [],
        )
        return Answer(owner="ada", plan=plan)

    def failed(self, news: FailedTasks) -> None:
        """What the operator tells of dead tasks."""
        if news.generation != self.generation or self.state in ENDS:
            return
        if news.stage is Stage.ASSEMBLE or news.reason:
            self.state = State.FAILED
        for index in news.indexes if news.stage is Stage.FETCH else []:
            if self.states[index] is ClipState.WAITING:
                self.states[index] = ClipState.SKIPPED
        self._advance()

    # --- the operator ---------------------------------------------------------------------

    def decided(self) -> Decision:
        """The next decision."""
        wish = Wish("ns", "demo", "uid", self.generation, "", {}, self.status)
        seen = Children(tuple(self.jobs.values()), tuple(self.pods.values()))
        more = {"may_start": self.place, "render_from": RENDER_FROM, "now": "2026-01-01T00:00:00Z"}
        return decide(wish, seen, self.answer(), **more)

    def act(self, decision: Decision, most: int) -> None:
        """Do the first actions only: an operator may be killed after any of them."""
        for action in decision.actions[:most]:
            match action:
                case Start(stage, tasks):
                    self._start(stage, tasks)
                case Drop(job):
                    self._drop(job.name)
                case Rekey(job):
                    self.secrets.add(job.name)
                    self._settle()
                case Report(tasks):
                    self.failed(tasks)
        if most > len(decision.actions) and decision.status is not None:
            self.status = status.dumped(decision.status)

    def _start(self, stage: Stage, tasks: int) -> None:
        name = f"g{self.generation}-{stage.value}"
        assert name not in self.jobs, "one Job of a stage and generation"
        assert self.place
        self.jobs[name] = SeenJob("ns", name, name, "uid", stage.value, self.generation)
        self.secrets.add(name)
        for index in range(tasks):
            pod = f"{name}-{index}"
            self.pods[pod] = SeenPod("ns", pod, name, "uid", self.generation, index, "Running")

    def _drop(self, name: str) -> None:
        self.jobs.pop(name, None)
        self.secrets.discard(name)
        self.pods = {key: pod for key, pod in self.pods.items() if pod.job != name}

    def _settle(self) -> None:
        """Pods that waited for a Secret run."""
        for key, pod in self.pods.items():
            if pod.lacks_key and pod.job in self.secrets:
                self.pods[key] = replace(pod, phase="Running", waiting="")

    # --- what happens ---------------------------------------------------------------------

    def end_pod(self, which: int, code: int, *, told: bool) -> None:
        """A pod that runs ends, having told the API of its result or not."""
        running = [pod for pod in self.pods.values() if pod.runs]
        if not running:
            return
        pod = running[which % len(running)]
        self.pods[pod.name] = replace(pod, phase="Failed" if code else "Succeeded", exit_code=code)
        job = self.jobs[pod.job]
        if code:
            job = replace(job, failed=job.failed | {pod.index})
        elif told:
            self._result(job, pod.index)
        mine = [one for one in self.pods.values() if one.job == job.name]
        if all(one.exit_code is not None for one in mine):
            job = replace(job, end="Failed" if job.failed else "Complete")
        self.jobs[job.name] = job

    def _result(self, job: SeenJob, index: int) -> None:
        if job.generation != self.generation or self.state in ENDS:
            return
        if job.stage == "fetch" and self.states[index] is ClipState.WAITING:
            self.states[index] = ClipState.READY
        elif job.stage == "render":
            self.missing = max(0, self.missing - 4)
        elif job.stage == "assemble" and self.state is State.RENDERING:
            self.state = State.SUCCEEDED
            self.successes += 1
        self._advance()

    def happen(self, what: str, which: int) -> None:
        """One event from outside."""
        names = sorted(self.jobs)
        job = names[which % len(names)] if names else ""
        match what:
            case "good":
                self.end_pod(which, 0, told=True)
            case "silent":
                self.end_pod(which, 0, told=False)
            case "gives up":
                self.end_pod(which, 64, told=False)
            case "open":
                self.end_pod(which, 66, told=False)
            case "job deleted":
                self._drop(job)
            case "secret deleted" if job:
                self.secrets.discard(job)
                for key, pod in self.pods.items():
                    if pod.job == job and pod.runs and which % 2:
                        waiting = "CreateContainerConfigError"
                        self.pods[key] = replace(pod, phase="Pending", waiting=waiting)
            case "edited":
                self.generation += 1
                self.refused = False
                self._begin()
            case "cancelled" if self.state not in ENDS:
                self.state = State.CANCELLED
            case "status wiped":
                self.status = {}
            case "refused":
                self.refused = True
            case "down" | "up":
                self.down = what == "down"
            case "no place" | "place":
                self.place = what == "place" or bool(self.jobs)


EVENTS = [
    *["good"] * 4,
    *["silent"] * 3,
    "gives up",
    "open",
    "job deleted",
    "secret deleted",
    "edited",
    "cancelled",
    "status wiped",
    "refused",
    "down",
    "up",
    "no place",
    "place",
]


def rest(world: World) -> None:
    """Decide and act until nothing is left to do; then nothing runs that has no business to."""
    for _ in range(MOST_ROUNDS):
        decision = world.decided()
        if decision.empty:
            break
        world.act(decision, most=100)
    assert world.decided().empty
    going = [job for job in world.jobs.values() if not job.end]
    assert {job.generation for job in going} <= {world.generation}
    if world.refused or world.state in ENDS - {State.SUCCEEDED}:
        assert going == []


@settings(max_examples=200, deadline=None)
@given(
    clips=st.integers(0, 3),
    segments=st.sampled_from([0, 3, 6]),
    events=st.lists(
        st.tuples(st.sampled_from(EVENTS), st.integers(0, 9), st.integers(0, 3)),
        min_size=2,
        max_size=12,
    ),
)
def test_it_comes_to_rest_and_to_an_end(
    clips: int, segments: int, events: list[tuple[str, int, int]]
) -> None:
    """SourceRange off after any action, told anything: at rest nothing is wrong, and pods finish it."""
    world = World(clips, segments=segments)
    for what, which, acts in events:
        world.happen(what, which)
        world.act(world.decided(), most=acts)
    world.down, world.place = False, True
    rest(world)
    while any(pod.runs for pod in world.pods.values()):
        world.end_pod(0, 0, told=True)
        rest(world)
    assert world.refused or world.state in ENDS
    assert world.successes <= world.generation
