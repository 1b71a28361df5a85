"""Record how tasks end: by a pod's result, or by the operator's report that no pod will retry."""

from __future__ import annotations

import math
from collections.abc import Sequence

from clipmill.protocol import (
    ISOLATION_FAILURES,
    CompilationState,
    FailedTasks,
    OutputResult,
    Stage,
    TaskFailure,
    TaskResult,
)
from clipmill.protocol.companion_kinds import COMPANION_FILES
from clipmill_api.compilations.lifecycle import advance_revision, skip_clip, skip_unplayable_clips
from clipmill_api.compilations.media_sources import media_facts
from clipmill_api.compilations.output_planning import plan_outputs
from clipmill_api.compilations.plan_models import PlannedOutput
from clipmill_api.compilations.resolution import load_resolved_spec
from clipmill_api.compilations.revision_end import RevisionEnd, end_revision
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import (
    fetch_locks,
    media_library,
    result_media,
    revision_clips,
    task_leases,
)
from clipmill_api.tables import CompilationRow, MediaRow, ResultMediaRow
from clipmill_api.tasks.fetch_attempts import fail_attempt
from clipmill_api.tasks.leases import (
    clip_of_task,
    lease_lost,
    lock_revision,
    refuse_terminal,
    task_id_of,
)


def record_result(session: Session, ctx: Context, principal: Principal, result: TaskResult) -> None:
    """End a task. The last one makes the compilation succeed. A repeat changes nothing.

    Raises:
        ApiProblem: LeaseLost, Ended, WrongOutputs, UnknownMedia or WrongLength.
    """
    compilation, revision = lock_revision(session, principal)
    task_id = task_id_of(principal, result.index)
    task = task_leases.lock_task(session, task_id)
    if task is None or task.epoch != result.epoch:
        raise lease_lost(task_id, result.epoch)
    if task.done or task.retry_at is not None:
        return
    refuse_terminal(revision)
    failure = result.failure
    if failure is not None and principal.stage is Stage.FETCH and not failure.permanent:
        clip = clip_of_task(session, principal, result.index)
        fail_attempt(session, ctx, compilation, clip, task, _with_code(failure))
        return
    is_final = failure is None or failure.permanent
    task_leases.end_lease(session, task_id, epoch=result.epoch, done=is_final, at=ctx.now())
    if failure is not None:
        _fail_task(session, ctx, compilation, principal, failure, result.index)
    elif principal.stage is Stage.ASSEMBLE:
        _succeed(session, ctx, compilation, principal.generation, result.outputs)


def _with_code(failure: TaskFailure) -> TaskFailure:
    """Return a failure whose message names its code, since a skipped clip has another one."""
    message = f"{failure.code}: {failure.message.removeprefix(failure.code + ': ')}"[:500]
    return failure.model_copy(update={"message": message})


def _fail_task(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    principal: Principal,
    failure: TaskFailure,
    index: int,
) -> None:
    if failure.clips and principal.stage is Stage.ASSEMBLE and not failure.permanent:
        _skip_clips(session, ctx, compilation, principal, failure)
        return
    fails_revision = failure.code in ISOLATION_FAILURES or principal.stage is Stage.ASSEMBLE
    if principal.stage is Stage.FETCH:
        clip = clip_of_task(session, principal, index)
        fetch_locks.release(session, clip.id)
        if failure.permanent and not fails_revision:
            skip_clip(session, ctx, compilation, clip, failure)
    if failure.permanent and fails_revision:
        end = RevisionEnd(CompilationState.FAILED, failure.code, failure.message)
        end_revision(session, ctx, compilation, principal.generation, end)


def _skip_clips(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    principal: Principal,
    failure: TaskFailure,
) -> None:
    """Plan the next attempt without clips that cannot be rendered; end what cannot go on."""
    revision = (compilation, principal.generation)
    if not skip_unplayable_clips(session, ctx, *revision, failure.clips):
        end = RevisionEnd(CompilationState.FAILED, failure.code, failure.message)
        end_revision(session, ctx, *revision, end)


def _succeed(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    generation: int,
    results: Sequence[OutputResult],
) -> None:
    """Store outputs, usage and state in this transaction."""
    planned = plan_outputs(load_resolved_spec(session, compilation, generation))
    outputs = tuple(_verify_outputs(session, compilation, planned, results))
    played = _played_media(ctx, compilation, generation, planned, outputs)
    result_media.add_result_media(session, played)
    end = RevisionEnd(
        CompilationState.SUCCEEDED,
        outputs=outputs,
        render_seconds=sum(output.render_seconds for output in planned),
    )
    end_revision(session, ctx, compilation, generation, end)


def _played_media(
    ctx: Context,
    compilation: CompilationRow,
    generation: int,
    planned: Sequence[PlannedOutput],
    outputs: Sequence[OutputResult],
) -> list[ResultMediaRow]:
    """Return each media file of each output once, with the first kind it is played as."""
    return [
        ResultMediaRow(
            compilation_id=compilation.id,
            generation=generation,
            output=output.name,
            media_id=media_id,
            owner=compilation.owner,
            kind=kind,
            result_id=output.media_id,
            created_at=ctx.now(),
        )
        for plan, output in zip(planned, outputs, strict=True)
        for media_id, kind in plan.record.media().items()
    ]


def _verify_outputs(
    session: Session,
    compilation: CompilationRow,
    planned: Sequence[PlannedOutput],
    results: Sequence[OutputResult],
) -> list[OutputResult]:
    """Return the results in the plan's order, with what is stored and probed of each file."""
    results_by_name = {result.name: result for result in results}
    names = [output.spec.name for output in planned]
    if set(results_by_name) != set(names) or len(results_by_name) != len(results):
        reported = ", ".join(result.name for result in results)
        detail = f"outputs: {reported or 'none'} given, exactly {', '.join(names)} required"
        raise ApiProblem(422, "WrongOutputs", detail, field="outputs")
    ids = [media_id for result in results for media_id in _file_ids(result)]
    media = media_library.media_by_ids(session, compilation.owner, ids)
    verified = []
    for output in planned:
        result = results_by_name[output.spec.name]
        for media_id in _file_ids(result):
            if media_id not in media or media[media_id].compilation_id != compilation.id:
                detail = f"outputs ({result.name}): {media_id!r} is no uploaded output"
                raise ApiProblem(422, "UnknownMedia", detail, field="outputs")
        verified.append(_verify_output(output, result, media[result.media_id]))
    return verified


def _file_ids(result: OutputResult) -> list[str]:
    """Return the media ids of a video and of its companion files."""
    companions = (companion.media_id(result) for companion in COMPANION_FILES)
    return [result.media_id, *filter(None, companions)]


def _verify_output(output: PlannedOutput, result: OutputResult, media: MediaRow) -> OutputResult:
    facts = media_facts(media)
    frames, expected = facts.frames if facts else 0, output.timeline.frames
    if frames != expected:
        detail = f"outputs ({result.name}): {frames} frames given, {expected} required"
        raise ApiProblem(422, "WrongLength", detail, frames=frames, expectedFrames=expected)
    measured = {
        "frames": frames,
        "duration_us": math.ceil(frames * 1_000_000 / output.timeline.profile.rate),
        "size_bytes": media.size_bytes,
        "sha256": media.sha256,
    }
    return result.model_copy(update=measured)


def record_failed_tasks(
    session: Session, ctx: Context, compilation: CompilationRow, failed: FailedTasks
) -> None:
    """Skip the clips of failed fetch tasks, or fail the revision for other stages.

    A failed render task needs nothing: assembly renders missing segments.
    """
    key = (compilation.id, compilation.generation)
    if failed.stage is Stage.ASSEMBLE or failed.reason in ISOLATION_FAILURES:
        reason = failed.reason or "JobFailed"
        end = RevisionEnd(CompilationState.FAILED, reason, failed.message)
        end_revision(session, ctx, compilation, compilation.generation, end)
        return
    if failed.stage is not Stage.FETCH:
        return
    if failed.holder:
        _fail_attempts(session, ctx, compilation, failed)
        return
    fetch_locks.release_tasks(session, *key, failed.indexes)
    reason = failed.reason or "FetchFailed"
    if revision_clips.skip_tasks(
        session, *key, failed.indexes, reason=reason, message=failed.message
    ):
        advance_revision(session, ctx, compilation, compilation.generation)


def _fail_attempts(
    session: Session, ctx: Context, compilation: CompilationRow, failed: FailedTasks
) -> None:
    """Count a failed attempt at fetch tasks that a lost pod holds. A repeat changes nothing."""
    key = (compilation.id, compilation.generation)
    for clip, task in task_leases.fetch_stage(session, *key).tasks:
        holds = task and task.holder == failed.holder and not task.done and task.retry_at is None
        if task and holds and task.index in failed.indexes:
            failure = TaskFailure(code="PodFailed", message=failed.message, permanent=False)
            fail_attempt(session, ctx, compilation, clip, task, failure)
