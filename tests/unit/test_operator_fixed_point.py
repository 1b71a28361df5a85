"""Whatever happens, repeated decisions reach a fixed point, and an end once pods succeed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from clipmill.protocol import (
    TERMINAL_STATES,
    ClipState,
    ClipStatus,
    CompilationState,
    FailedTasks,
    Plan,
    SegmentCounts,
    Stage,
    TaskCounts,
)
from clipmill_operator.queueing.queue_wait import own_wait
from clipmill_operator.reconciling.actions import (
    CreateJob,
    Decision,
    DeleteJob,
    PlanResponse,
    ReplaceSecret,
    ReportFailure,
    SpecRefusal,
)
from clipmill_operator.reconciling.decide import decide
from clipmill_operator.reconciling.status import dump_status
from clipmill_operator.watching.observed import Children, ObservedCompilation, ObservedJob
from clipmill_operator.watching.observed_pod import ObservedPod
from operator_objects import NOW, UNLIMITED

MAX_ROUNDS = 12
RENDER_FROM_SEGMENTS = 4
FETCH_PODS = 2
WAIT = own_wait(None, None, datetime.fromisoformat(NOW))


@dataclass
class SimulatedCluster:
    """A cluster and an API, as far as one Compilation is concerned."""

    clips: int
    generation: int = 1
    is_refused: bool = False
    is_api_down: bool = False
    is_admitted: bool = True
    state: CompilationState = CompilationState.FETCHING
    clip_states: list[ClipState] = field(default_factory=list)
    segments: int = 6
    missing_segments: int = 0
    status: dict[str, object] = field(default_factory=dict)
    jobs: dict[str, ObservedJob] = field(default_factory=dict)
    pods: dict[str, ObservedPod] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    tasks: dict[str, int] = field(default_factory=dict)
    successes: int = 0

    def __post_init__(self) -> None:
        self._start_generation()

    # --- the API --------------------------------------------------------------------------

    def _start_generation(self) -> None:
        self.clip_states = [ClipState.WAITING] * self.clips
        self.state, self.missing_segments = CompilationState.FETCHING, self.segments
        self._advance()

    def _advance(self) -> None:
        is_fetching = self.state is CompilationState.FETCHING
        if is_fetching and ClipState.WAITING not in self.clip_states:
            has_clips = ClipState.READY in self.clip_states or not self.clip_states
            self.state = CompilationState.RENDERING if has_clips else CompilationState.FAILED

    def response(self) -> PlanResponse:
        """Return the API's response to the operator."""
        if self.is_api_down:
            return PlanResponse(outage="no response")
        if self.is_refused:
            return PlanResponse(owner="ada", refusal=SpecRefusal("QuotaExceeded", "0 s are left"))
        waiting = [i for i, state in enumerate(self.clip_states) if state is ClipState.WAITING]
        plan = Plan(
            compilation_id="c-abcd",
            generation=self.generation,
            state=self.state,
            clips=[ClipStatus(id="k-abcd", name="c", state=state) for state in self.clip_states],
            outputs=[],
            quota=UNLIMITED,
            segments=SegmentCounts(total=8, reused=8 - self.missing_segments),
            settled_segments=self.missing_segments if ClipState.READY in self.clip_states else 0,
            tasks=TaskCounts(fetch=self.clips, render=2),
            to_fetch=waiting if self.state is CompilationState.FETCHING else [],
        )
        return PlanResponse(owner="ada", plan=plan)

    def report_failed_tasks(self, report: FailedTasks) -> None:
        """Take a report of the operator."""
        if report.generation != self.generation or self.state in TERMINAL_STATES:
            return
        if report.stage is Stage.ASSEMBLE or report.reason:
            self.state = CompilationState.FAILED
        for index in report.indexes if report.stage is Stage.FETCH else []:
            if self.clip_states[index] is ClipState.WAITING:
                self.clip_states[index] = ClipState.SKIPPED
        self._advance()

    # --- the operator ---------------------------------------------------------------------

    def decide(self) -> Decision:
        """Return the next decision."""
        compilation = ObservedCompilation("ns", "demo", "uid", self.generation, "", {}, self.status)
        return decide(
            compilation,
            Children(tuple(self.jobs.values()), tuple(self.pods.values())),
            self.response(),
            own_wait=None if self.is_admitted else WAIT,
            render_from_segments=RENDER_FROM_SEGMENTS,
            now=NOW,
        )

    def execute(self, decision: Decision, limit: int) -> None:
        """Execute the first actions only: an operator may be killed after any of them."""
        for action in decision.actions[:limit]:
            match action:
                case CreateJob(stage, tasks):
                    self._create_job(stage, tasks)
                case DeleteJob(job):
                    self._delete_job(job.name)
                case ReplaceSecret(job):
                    self.secrets.add(job.name)
                    self._start_waiting_pods()
                case ReportFailure(tasks):
                    self.report_failed_tasks(tasks)
        if limit > len(decision.actions) and decision.status is not None:
            self.status = dump_status(decision.status)

    def _create_job(self, stage: Stage, tasks: int) -> None:
        name = f"g{self.generation}-{stage.value}"
        assert name not in self.jobs, "one Job per stage and generation"
        assert self.is_admitted
        self.jobs[name] = ObservedJob("ns", name, name, "uid", stage.value, self.generation)
        self.secrets.add(name)
        self.tasks[name] = tasks
        for index in range(self._pod_count(name)):
            pod = f"{name}-{index}"
            running = ObservedPod("ns", pod, name, "uid", self.generation, index, "Running")
            self.pods[pod] = running

    def _pod_count(self, name: str) -> int:
        return min(self.tasks[name], FETCH_PODS) if "fetch" in name else self.tasks[name]

    def _delete_job(self, name: str) -> None:
        self.jobs.pop(name, None)
        self.secrets.discard(name)
        self.pods = {key: pod for key, pod in self.pods.items() if pod.job != name}

    def _start_waiting_pods(self) -> None:
        for key, pod in self.pods.items():
            if pod.is_missing_secret and pod.job in self.secrets:
                self.pods[key] = replace(pod, phase="Running", waiting_reason="")

    def suspend_job(self, name: str) -> None:
        """Suspend an unfinished Job, as Kueue does: its running pods are deleted."""
        if name and not self.jobs[name].result:
            self.jobs[name] = replace(self.jobs[name], is_suspended=True)
            self.pods = {
                key: pod for key, pod in self.pods.items() if pod.job != name or pod.exit_code
            }

    def resume_job(self, name: str) -> None:
        """Resume a Job: indexes that have not ended get new pods."""
        job = self.jobs[name]
        self.jobs[name] = replace(job, is_suspended=False)
        for index in range(self._pod_count(name)):
            pod = f"{name}-{index}"
            if pod not in self.pods:
                running = ObservedPod("ns", pod, name, "uid", self.generation, index, "Running")
                self.pods[pod] = replace(running, generation=job.generation)

    # --- events ---------------------------------------------------------------------------

    def end_pod(self, which: int, exit_code: int, *, reports_result: bool) -> None:
        """End a running pod, which has reported its result to the API or not."""
        running = [pod for pod in self.pods.values() if pod.is_running]
        if not running:
            return
        pod = running[which % len(running)]
        phase = "Failed" if exit_code else "Succeeded"
        job = self.jobs[pod.job]
        if reports_result:
            self._take_result(job)
            if job.stage == "fetch" and ClipState.WAITING in self.clip_states:
                return  # The pod goes on with the next clip.
        self.pods[pod.name] = replace(pod, phase=phase, exit_code=exit_code)
        siblings = [sibling for sibling in self.pods.values() if sibling.job == job.name]
        if all(sibling.exit_code is not None for sibling in siblings):
            has_failed = any(sibling.exit_code for sibling in siblings)
            job = replace(job, result="Failed" if has_failed else "Complete")
        self.jobs[job.name] = job

    def _take_result(self, job: ObservedJob) -> None:
        if job.generation != self.generation or self.state in TERMINAL_STATES:
            return
        if job.stage == "fetch" and ClipState.WAITING in self.clip_states:
            self.clip_states[self.clip_states.index(ClipState.WAITING)] = ClipState.READY
        elif job.stage == "render":
            self.missing_segments = max(0, self.missing_segments - 4)
        elif job.stage == "assemble" and self.state is CompilationState.RENDERING:
            self.state = CompilationState.SUCCEEDED
            self.successes += 1
        self._advance()

    def delete_secret(self, job: str, which: int) -> None:
        """Delete a Secret; half of the time its pods were about to start."""
        self.secrets.discard(job)
        for key, pod in self.pods.items():
            if pod.job == job and pod.is_running and which % 2:
                waiting = {"phase": "Pending", "waiting_reason": "CreateContainerConfigError"}
                self.pods[key] = replace(pod, **waiting)

    def happen(self, event: str, which: int) -> None:
        """Apply one event from outside."""
        names = sorted(self.jobs)
        job = names[which % len(names)] if names else ""
        match event:
            case "pod succeeds":
                self.end_pod(which, 0, reports_result=True)
            case "pod exits without a result":
                self.end_pod(which, 0, reports_result=False)
            case "pod fails":
                self.end_pod(which, 64, reports_result=False)
            case "pod is not isolated":
                self.end_pod(which, 66, reports_result=False)
            case "job deleted":
                self._delete_job(job)
            case "job suspended":
                self.suspend_job(job)
            case "job resumed" if job and self.jobs[job].is_suspended:
                self.resume_job(job)
            case "secret deleted":
                self.delete_secret(job, which)
            case "edited":
                self.generation += 1
                self.is_refused = False
                self._start_generation()
            case "cancelled" if self.state not in TERMINAL_STATES:
                self.state = CompilationState.CANCELLED
            case "status wiped":
                self.status = {}
            case "refused":
                self.is_refused = True
            case "api down" | "api up":
                self.is_api_down = event == "api down"
            case "not admitted" | "admitted":
                self.is_admitted = event == "admitted" or bool(self.jobs)


EVENTS = [
    *["pod succeeds"] * 4,
    *["pod exits without a result"] * 3,
    "pod fails",
    "pod is not isolated",
    "job deleted",
    "job suspended",
    "job resumed",
    "secret deleted",
    "edited",
    "cancelled",
    "status wiped",
    "refused",
    "api down",
    "api up",
    "not admitted",
    "admitted",
]


def settle(cluster: SimulatedCluster) -> None:
    """Decide and execute until nothing is left to do; then no superfluous Job is active."""
    for _ in range(MAX_ROUNDS):
        decision = cluster.decide()
        if decision.is_empty:
            break
        cluster.execute(decision, limit=100)
    assert cluster.decide().is_empty
    active = [job for job in cluster.jobs.values() if not job.result]
    assert {job.generation for job in active} <= {cluster.generation}
    if cluster.is_refused or cluster.state in TERMINAL_STATES - {CompilationState.SUCCEEDED}:
        assert active == []


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
def test_decisions_reach_a_fixed_point_and_an_end(
    clips: int, segments: int, events: list[tuple[str, int, int]]
) -> None:
    """Also if the operator is killed after any action, whatever it observes."""
    cluster = SimulatedCluster(clips, segments=segments)
    for event, which, limit in events:
        cluster.happen(event, which)
        cluster.execute(cluster.decide(), limit=limit)
    cluster.is_api_down, cluster.is_admitted = False, True
    for name in [name for name, job in cluster.jobs.items() if job.is_suspended]:
        cluster.resume_job(name)
    settle(cluster)
    while any(pod.is_running for pod in cluster.pods.values()):
        cluster.end_pod(0, 0, reports_result=True)
        settle(cluster)
    assert cluster.is_refused or cluster.state in TERMINAL_STATES
    assert cluster.successes <= cluster.generation
