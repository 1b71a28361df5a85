"""Decide what to do for one Compilation, from the observed objects and the API's response. Pure.

The order of the checks: a terminal state, admission, isolation of the pods, tasks that failed for
good, Jobs that are missing, Secrets that are missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from clipmill.protocol import (
    NOT_ISOLATED,
    TERMINAL_STATES,
    CompilationState,
    ExitCode,
    FailedTasks,
    Plan,
    Stage,
)
from clipmill_operator.building.job_objects import RETRIES
from clipmill_operator.building.resource import CompilationStatus
from clipmill_operator.queueing.queue_wait import QueueWait
from clipmill_operator.queueing.suspended_jobs import suspension
from clipmill_operator.reconciling import status
from clipmill_operator.reconciling.actions import (
    Action,
    CreateJob,
    Decision,
    DeleteJob,
    PlanResponse,
    PodWait,
    ReplaceSecret,
    ReportFailure,
)
from clipmill_operator.watching.observed import Children, ObservedCompilation, ObservedJob
from clipmill_operator.watching.observed_pod import ObservedPod

NO_RESULT = "Pods ended without reporting a result"
MESSAGE_CHARS = 480
# Pods of each index of a fetch Job that may end before they claim a clip, as in other stages.
MAX_UNCLAIMED_PODS = RETRIES + 1


def decide(
    compilation: ObservedCompilation,
    children: Children,
    response: PlanResponse,
    *,
    own_wait: QueueWait | None,
    render_from_segments: int,
    now: str,
) -> Decision:
    """Return the actions and the status for a Compilation.

    Args:
        compilation: The Compilation.
        children: Its Jobs and pods, observed before the response was requested.
        response: The API's response.
        own_wait: Why it may create no Jobs if it has none; None if it may.
        render_from_segments: Missing segments that can be rendered from which on *render* pods are
            used; 0 for never.
        now: The time for conditions, as in RFC 3339.
    """
    actions: tuple[Action, ...] = ()
    if response.plan is not None:
        plan = response.plan
        is_queued = own_wait is not None and needs_admission(plan, children)
        actions = tuple(_actions(plan, children, is_queued, render_from_segments))
        desired = status.accepted_status(
            compilation,
            plan,
            response.owner,
            wait=own_wait if is_queued else suspension(plan, children),
            pod_wait=pod_wait(plan, children),
            now=now,
        )
    elif response.refusal is not None:
        actions = tuple(DeleteJob(job) for job in _active(children.jobs))
        desired = status.refused_status(compilation, response.refusal, now)
    elif response.outage:
        desired = status.api_unreachable_status(compilation, response.outage, now)
    else:
        return Decision()
    return Decision(actions, _if_changed(desired, compilation))


def needs_admission(plan: Plan, children: Children) -> bool:
    """Return whether a revision is to be rendered and has no Job yet."""
    return plan.state not in TERMINAL_STATES and not any(
        job.generation == plan.generation for job in children.jobs
    )


def _if_changed(
    desired: CompilationStatus, compilation: ObservedCompilation
) -> CompilationStatus | None:
    return None if status.dump_status(desired) == compilation.status else desired


def pod_wait(plan: Plan, children: Children) -> PodWait | None:
    """Return why pods of the plan's revision do not start, if some do not."""
    pods = [pod for pod in children.pods if pod.generation == plan.generation]
    blocked = [pod for pod in pods if pod.blocked_reason]
    if not blocked or plan.state in TERMINAL_STATES:
        return None
    first = min(blocked, key=lambda pod: (pod.job, pod.index))
    count = "1 pod does" if len(blocked) == 1 else f"{len(blocked)} pods do"
    cause = first.waiting_message or first.blocked_reason
    return PodWait(
        first.blocked_reason,
        f"{count} not start: {cause}"[:MESSAGE_CHARS],
        is_complete=not any(pod.is_running for pod in pods),
    )


def _active(jobs: Iterable[ObservedJob]) -> list[ObservedJob]:
    return [job for job in jobs if not job.result and not job.is_deleting]


def _actions(
    plan: Plan, children: Children, is_queued: bool, render_from_segments: int
) -> Iterator[Action]:
    for job in children.jobs:
        if job.generation != plan.generation and not job.is_deleting:
            yield DeleteJob(job)
    if plan.state is CompilationState.SUCCEEDED or is_queued:
        return
    if plan.state in TERMINAL_STATES:
        active = _active(children.jobs)
        yield from (DeleteJob(job) for job in active if job.generation == plan.generation)
        return
    isolation_failure = _isolation_failure(plan, children)
    if isolation_failure is not None:
        yield isolation_failure
    elif plan.state is CompilationState.FETCHING:
        yield from _fetch_actions(plan, children)
        yield from _early_render_actions(plan, children, render_from_segments)
    elif plan.state is CompilationState.RENDERING:
        yield from _render_actions(plan, children, render_from_segments)


def _isolation_failure(plan: Plan, children: Children) -> ReportFailure | None:
    for pod in children.pods:
        if pod.generation == plan.generation and pod.exit_code == ExitCode.NOT_ISOLATED:
            message = f"Pod {pod.name}: {pod.message or 'the isolation check failed'}"
            return _report(plan, Stage.FETCH, [], message, NOT_ISOLATED)
    return None


def _fetch_actions(plan: Plan, children: Children) -> Iterator[Action]:
    job = children.job(Stage.FETCH, plan.generation)
    if job is None:
        yield CreateJob(Stage.FETCH, plan.tasks.fetch)
        return
    ended = [pod for pod in children.pods_of(job) if pod.exit_code]
    if plan.to_fetch and (job.result or _pods_do_not_start(plan, job, children)):
        yield _report(plan, Stage.FETCH, plan.to_fetch, failure_message(job, ended))
        return
    yield from _lost_fetches(plan, ended)
    yield from _missing_secret(job, children)


def _pods_do_not_start(plan: Plan, job: ObservedJob, children: Children) -> bool:
    """Return whether pods keep ending before they claim a clip, which no clip is to blame for."""
    pods = children.pods_of(job)
    limit = MAX_UNCLAIMED_PODS * len({pod.index for pod in pods})
    return bool(pods) and sum(bool(pod.exit_code) for pod in pods) - plan.fetch_claims >= limit


def _lost_fetches(plan: Plan, ended: list[ObservedPod]) -> Iterator[Action]:
    """Report the clips that pods held at their end, so that others go on with them at once."""
    for held in plan.held_fetches:
        for pod in ended:
            if held.holder.startswith(f"{pod.name}-"):
                message = _exit_message(pod)
                yield _report(plan, Stage.FETCH, [held.index], message, holder=held.holder)


def _early_render_actions(
    plan: Plan, children: Children, render_from_segments: int
) -> Iterator[Action]:
    """Render what no further clip can change, while clips are being fetched."""
    if children.job(Stage.FETCH, plan.generation) is None:
        return
    render = children.job(Stage.RENDER, plan.generation)
    if render is not None:
        yield from _missing_secret(render, children)
    elif _render_pods_pay(plan, plan.settled_segments, render_from_segments):
        yield CreateJob(Stage.RENDER, plan.tasks.render)


def _render_actions(plan: Plan, children: Children, render_from_segments: int) -> Iterator[Action]:
    assemble = children.job(Stage.ASSEMBLE, plan.generation)
    if assemble is not None:
        if assemble.result:
            ended = [pod for pod in children.pods_of(assemble) if pod.exit_code is not None]
            yield _report(plan, Stage.ASSEMBLE, [0], failure_message(assemble, ended))
        else:
            yield from _missing_secret(assemble, children)
        return
    render = children.job(Stage.RENDER, plan.generation)
    missing = plan.segments.total - plan.segments.reused - plan.segments.rendered
    if render is None and _render_pods_pay(plan, missing, render_from_segments):
        yield CreateJob(Stage.RENDER, plan.tasks.render)
    elif render is None or render.result:
        yield CreateJob(Stage.ASSEMBLE, 1)
    else:
        yield from _missing_secret(render, children)


def _render_pods_pay(plan: Plan, missing: int, render_from_segments: int) -> bool:
    return 0 < render_from_segments <= missing and plan.tasks.render > 1


def _missing_secret(job: ObservedJob, children: Children) -> Iterator[Action]:
    """Replace a missing Secret once no pod runs: a new key revokes the one of running pods."""
    pods = children.pods_of(job)
    if any(pod.is_missing_secret for pod in pods) and not any(pod.is_running for pod in pods):
        yield ReplaceSecret(job)


def _report(
    plan: Plan,
    stage: Stage,
    indexes: list[int],
    message: str,
    reason: str = "",
    *,
    holder: str = "",
) -> ReportFailure:
    return ReportFailure(
        FailedTasks(
            stage=stage,
            generation=plan.generation,
            indexes=indexes,
            message=message[:MESSAGE_CHARS],
            reason=reason,
            holder=holder,
        )
    )


def failure_message(job: ObservedJob, ended: Collection[ObservedPod]) -> str:
    """Return why tasks failed: by the last of the pods that have ended, or else by the Job."""
    if ended:
        return _exit_message(max(ended, key=lambda pod: pod.name))
    return job.message if job.result == "Failed" and job.message else NO_RESULT


def _exit_message(pod: ObservedPod) -> str:
    return f"Pod exited with code {pod.exit_code}: {pod.message or 'it wrote no message'}"
