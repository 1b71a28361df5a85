"""What is to be done for one resource: pure, from what is seen and what the API answered.

terminal? refused? queued? not isolated? a part given up? a Job missing? waiting? done?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clipmill.protocol import ENDS, NOT_ISOLATED, ExitCode, FailedTasks, Plan, Stage, State
from clipmill_operator.building.resource import Status
from clipmill_operator.reconciling import status
from clipmill_operator.reconciling.observed import Children, SeenJob, SeenPod, Wish
from clipmill_operator.reconciling.status import Refusal

LEAST_MESSAGE = "its pods ended without telling what became of it"
MESSAGE_CHARS = 480


@dataclass(frozen=True, slots=True)
class Start:
    """Make the Job of a stage, with a key of its own."""

    stage: Stage
    tasks: int


@dataclass(frozen=True, slots=True)
class Rekey:
    """A Job's Secret is missing: another key."""

    job: SeenJob


@dataclass(frozen=True, slots=True)
class Drop:
    """Delete a Job, and with it its pods and its Secret."""

    job: SeenJob


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the API of tasks whose pods will not be tried again."""

    tasks: FailedTasks


Action = Start | Rekey | Drop | Report


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said: a plan, a refusal, or nothing (`trouble`, once it has lasted)."""

    owner: str = ""
    plan: Plan | None = None
    refusal: Refusal | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Actions in order, and the status to write; None: it is what it should be."""

    actions: tuple[Action, ...] = ()
    status: Status | None = None

    @property
    def empty(self) -> bool:
        """Nothing is to be done."""
        return not self.actions and self.status is None


def decide(
    wish: Wish, seen: Children, answer: Answer, *, may_start: bool, render_from: int, now: str
) -> Decision:
    """The decision. `render_from`: missing segments from which render pods pay; 0: never."""
    if answer.plan is not None:
        plan = answer.plan
        queued = _is_queued(plan, seen, may_start=may_start)
        actions = tuple(_actions(plan, seen, queued=queued, render_from=render_from))
        stuck = _stuck(plan, seen)
        wanted = status.accepted(wish, plan, answer.owner, queued=queued, stuck=stuck, now=now)
    elif answer.refusal is not None:
        actions = tuple(Drop(job) for job in _going(seen.jobs))
        wanted = status.refused(wish, answer.refusal, now)
    elif answer.trouble:
        actions, wanted = (), status.troubled(wish, answer.trouble, now)
    else:
        return Decision()
    same = status.dumped(wanted) == wish.status
    return Decision(actions, None if same else wanted)


def starts(plan: Plan, seen: Children) -> bool:
    """Whether it wants a place among those that have pods, and has none yet."""
    return plan.state not in ENDS and not _current(plan, seen)


def _stuck(plan: Plan, seen: Children) -> str:
    found = [pod for pod in seen.pods if pod.generation == plan.generation and pod.stuck]
    return f"{len(found)} pods do not start: {found[0].stuck}" if found else ""


def _current(plan: Plan, seen: Children) -> list[SeenJob]:
    return [job for job in seen.jobs if job.generation == plan.generation]


def _is_queued(plan: Plan, seen: Children, *, may_start: bool) -> bool:
    return starts(plan, seen) and not may_start


def _going(jobs: tuple[SeenJob, ...]) -> list[SeenJob]:
    return [job for job in jobs if not job.end and not job.leaving]


def _actions(plan: Plan, seen: Children, *, queued: bool, render_from: int) -> Iterator[Action]:
    for job in seen.jobs:
        if job.generation != plan.generation and not job.leaving:
            yield Drop(job)
    if plan.state is State.SUCCEEDED or queued:
        return
    if plan.state in ENDS:
        yield from (Drop(job) for job in _going(seen.jobs) if job.generation == plan.generation)
        return
    escape = _not_isolated(plan, seen)
    if escape is not None:
        yield escape
    elif plan.state is State.FETCHING:
        yield from _fetching(plan, seen)
    elif plan.state is State.RENDERING:
        yield from _rendering(plan, seen, render_from)


def _not_isolated(plan: Plan, seen: Children) -> Report | None:
    for pod in seen.pods:
        if pod.generation == plan.generation and pod.exit_code == ExitCode.NOT_ISOLATED:
            why = pod.why or "a pod reached what it must not reach"
            return _report(plan, Stage.FETCH, [], f"pod {pod.name}: {why}", NOT_ISOLATED)
    return None


def _fetching(plan: Plan, seen: Children) -> Iterator[Action]:
    job = seen.job(Stage.FETCH, plan.generation)
    if job is None:
        yield Start(Stage.FETCH, plan.tasks.fetch)
        return
    given_up = [i for i in plan.to_fetch if job.end or i in job.failed]
    for index in given_up:
        yield _report(plan, Stage.FETCH, [index], _last_words(job, seen, index))
    if not given_up:
        yield from _keyless(job, seen)


def _rendering(plan: Plan, seen: Children, render_from: int) -> Iterator[Action]:
    assemble = seen.job(Stage.ASSEMBLE, plan.generation)
    if assemble is not None:
        if assemble.end:
            yield _report(plan, Stage.ASSEMBLE, [0], _last_words(assemble, seen, 0))
        else:
            yield from _keyless(assemble, seen)
        return
    render = seen.job(Stage.RENDER, plan.generation)
    if render is None and _shards_pay(plan, render_from):
        yield Start(Stage.RENDER, plan.tasks.render)
    elif render is None or render.end:
        yield Start(Stage.ASSEMBLE, 1)
    else:
        yield from _keyless(render, seen)


def _shards_pay(plan: Plan, render_from: int) -> bool:
    missing = plan.segments.total - plan.segments.reused - plan.segments.rendered
    return 0 < render_from <= missing and plan.tasks.render > 1


def _keyless(job: SeenJob, seen: Children) -> Iterator[Action]:
    """Pods that cannot start for want of their Secret get another, once none runs.

    A new key ends the one before: a running pod would lose its own.
    """
    pods = seen.pods_of(job)
    if any(pod.lacks_key for pod in pods) and not any(pod.runs for pod in pods):
        yield Rekey(job)


def _report(plan: Plan, stage: Stage, indexes: list[int], message: str, reason: str = "") -> Report:
    return Report(
        FailedTasks(
            stage=stage,
            generation=plan.generation,
            indexes=indexes,
            message=message[:MESSAGE_CHARS],
            reason=reason,
        )
    )


def _last_words(job: SeenJob, seen: Children, index: int) -> str:
    """Why a part was given up: its pods' words, else the Job's."""
    ended = [p for p in seen.pods_of(job) if p.index == index and p.exit_code is not None]
    if ended:
        return _words_of(max(ended, key=lambda pod: pod.name))
    return job.why if job.end == "Failed" and job.why else LEAST_MESSAGE


def _words_of(pod: SeenPod) -> str:
    return f"its pod ended with exit {pod.exit_code}: {pod.why or 'it said nothing'}"
