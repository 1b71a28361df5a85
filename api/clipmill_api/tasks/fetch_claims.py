"""Choose the clip that a pod of the fetch stage fetches next.

A pod claims until nothing is left for it. Each clip is a task of its own, with its own lease, key
and attempts: a pod that is lost loses one clip, which the next claim takes over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from clipmill.protocol import Claim, FetchAssignment
from clipmill_api.compilations.resolution import stored_spec
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries.task_leases import FetchStage
from clipmill_api.tables import ClipRow, CompilationRow, RevisionRow, TaskRow
from clipmill_api.tasks.assignment_builder import assign_fetch
from clipmill_api.tasks.fetch_attempts import (
    NO_REPORT,
    due_at,
    failures_of,
    give_up,
    is_held,
)
from clipmill_api.timestamps import format_time


@dataclass(frozen=True, slots=True)
class FetchClaim:
    """A fetch task to claim; `assignment` is None if its clip needs nothing any more."""

    index: int
    task: TaskRow | None
    epoch: int
    failures: int
    assignment: FetchAssignment | None


class _Candidate(NamedTuple):
    clip: ClipRow
    task: TaskRow | None
    epoch: int
    failures: int


def choose_fetch(
    session: Session, ctx: Context, compilation: CompilationRow, stage: FetchStage, claim: Claim
) -> FetchClaim:
    """Return the task that a claim gets: that of the job's index, or the next one that is free.

    Raises:
        ApiProblem: NothingLeft, Leased or FetchInProgress.
    """
    in_progress = None
    for candidate in _free(ctx, stage.tasks, claim):
        try:
            fetch = _assign(session, ctx, compilation, stage.revision, candidate)
        except ApiProblem as problem:
            if problem.code != "FetchInProgress":
                raise
            in_progress = problem
            continue
        index, (_, task, epoch, failures) = candidate.clip.task_index or 0, candidate
        return FetchClaim(index, task, epoch, failures, fetch)
    raise in_progress or _nothing_free(ctx, stage.tasks, claim)


def _free(
    ctx: Context, tasks: list[tuple[ClipRow, TaskRow | None]], claim: Claim
) -> Iterator[_Candidate]:
    """Yield what the holder has claimed already, and then the tasks that nobody works on."""
    now = ctx.now()
    held = [(clip, task) for clip, task in tasks if task and is_held(task, now)]
    for clip, task in held:
        if task.holder == claim.holder:
            yield _Candidate(clip, task, task.epoch, task.failures)
    ordered = sorted(tasks, key=lambda each: (each[0].task_index or 0) < claim.index)
    for clip, task_row in ordered:
        if task_row is None:
            yield _Candidate(clip, None, 1, 0)
        elif not is_held(task_row, now) and due_at(ctx, task_row) <= now:
            failures = failures_of(task_row, now)
            yield _Candidate(clip, task_row, task_row.epoch + 1, failures)


def _assign(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    revision: RevisionRow,
    candidate: _Candidate,
) -> FetchAssignment | None:
    if candidate.failures >= ctx.settings.fetch_attempts:
        give_up(session, ctx, compilation, candidate.clip, NO_REPORT)
        return None
    return assign_fetch(session, ctx, compilation, stored_spec(revision), candidate.clip)


def _nothing_free(
    ctx: Context, tasks: list[tuple[ClipRow, TaskRow | None]], claim: Claim
) -> ApiProblem:
    """Return what a job is to do without a free task: wait for that of its index, or end.

    What other pods work on, they or those that replace them go on with.
    """
    now = ctx.now()
    own = [task for _, task in tasks if task is not None and task.job_index == claim.index]
    if not own:
        return ApiProblem(409, "NothingLeft", "no clip is left to fetch for this job")
    until = min(t.lease_until if is_held(t, now) else due_at(ctx, t) for t in own)
    detail = f"fetch task {own[0].index} is leased to another pod, or waits for its next attempt"
    return ApiProblem(503, "Leased", f"{detail}, until {format_time(until)}")
