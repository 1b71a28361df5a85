"""How a part ends: its result, or the operator's word that no pod will try it again."""

from __future__ import annotations

import math

from sqlalchemy.orm import Session

from clipmill.protocol import NOT_ISOLATED, FailedTasks, OutputResult, TaskResult, Stage, CompilationState
from clipmill_api.compilations import lifecycle, planning
from clipmill_api.compilations.lifecycle import Ending
from clipmill_api.compilations.planning import Made
from clipmill_api.context import Context
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import media_library, result_media, revisions, task_leases
from clipmill_api.tables import CompilationRow, ResultMediaRow
from clipmill_api.tasks.leases import clip_of, ended, has_ended, lease_lost, standing, where_of


def result(session: Session, ctx: Context, who: Principal, given: TaskResult) -> None:
    """The end of a part; on the last one the compilation succeeds. A repeat is harmless."""
    row, revision = standing(session, who)
    where = where_of(who, given.index)
    part = task_leases.part(session, where)
    if part is None or part.epoch != given.epoch:
        raise lease_lost(given.epoch)
    if part.done:
        return
    if has_ended(revision):
        raise ended(revision)
    final = given.failure is None or given.failure.permanent
    task_leases.finish(session, where, epoch=given.epoch, done=final, now=ctx.now())
    if given.failure is not None:
        _failed(session, ctx, row, who, given)
    elif who.stage is Stage.ASSEMBLE:
        _succeeded(session, ctx, row, who, given.outputs)


def _failed(
    session: Session, ctx: Context, row: CompilationRow, who: Principal, given: TaskResult
) -> None:
    failure = given.failure
    assert failure is not None
    ends_all = failure.code == NOT_ISOLATED or who.stage is Stage.ASSEMBLE
    if who.stage is Stage.FETCH:
        clip = clip_of(session, who, given.index)
        task_leases.unlock_fetch(session, clip.id)
        if failure.permanent and not ends_all:
            lifecycle.skip(session, ctx, row, clip, failure)
    if failure.permanent and ends_all:
        ending = Ending(CompilationState.FAILED, failure.code, failure.message)
        lifecycle.end(session, ctx, row, who.generation, ending)


def _succeeded(
    session: Session,
    ctx: Context,
    row: CompilationRow,
    who: Principal,
    given: list[OutputResult],
) -> None:
    """Outputs, usage row, settled reservation and the state, in this one transaction."""
    made = planning.outputs(lifecycle.known(session, row, who.generation))
    outputs = tuple(_checked(session, row, made, given))
    result_media.add(session, _plays(ctx, row, who.generation, made, outputs))
    seconds = sum(one.seconds for one in made)
    ending = Ending(CompilationState.SUCCEEDED, outputs=outputs, seconds=seconds)
    lifecycle.end(session, ctx, row, who.generation, ending)


def _plays(
    ctx: Context,
    row: CompilationRow,
    generation: int,
    made: list[Made],
    outputs: tuple[OutputResult, ...],
) -> list[ResultMediaRow]:
    """Each media file of each output once, under what it is played as first."""
    return [
        ResultMediaRow(
            compilation_id=row.id,
            generation=generation,
            output=output.name,
            media_id=media_id,
            owner=row.owner,
            kind=kind,
            result_id=output.media_id,
            created_at=ctx.now(),
        )
        for one, output in zip(made, outputs, strict=True)
        for media_id, kind in one.record.media().items()
    ]


def _checked(
    session: Session, row: CompilationRow, made: list[Made], given: list[OutputResult]
) -> list[OutputResult]:
    """The outputs as they lie in the store, each of the length that the timeline says."""
    by_name = {output.name: output for output in given}
    if set(by_name) != {one.output.name for one in made} or len(by_name) != len(given):
        wanted = ", ".join(one.output.name for one in made)
        raise ApiProblem(422, "WrongOutputs", f"outputs: exactly {wanted} are expected")
    media = media_library.media_by_ids(session, row.owner, [output.media_id for output in given])
    checked = []
    for one in made:
        output = by_name[one.output.name]
        stored = media.get(output.media_id)
        if stored is None or stored.compilation_id != row.id:
            raise ApiProblem(422, "UnknownMedia", f"outputs: no upload {output.media_id!r}")
        facts = planning.facts(stored)
        frames = facts.frames if facts else 0
        if frames != one.timeline.frames:
            detail = f"{output.name}: {frames} frames, but the timeline has {one.timeline.frames}"
            raise ApiProblem(422, "WrongLength", detail)
        measured = {
            "frames": frames,
            "duration_us": math.ceil(frames * 1_000_000 / one.timeline.profile.rate),
            "size_bytes": stored.size_bytes,
            "sha256": stored.sha256,
        }
        checked.append(output.model_copy(update=measured))
    return checked


def parts_failed(session: Session, ctx: Context, row: CompilationRow, news: FailedTasks) -> None:
    """Parts whose pods will not be tried again: their clips are skipped, or the render failed."""
    if news.stage is Stage.ASSEMBLE or news.reason == NOT_ISOLATED:
        ending = Ending(CompilationState.FAILED, news.reason or "JobFailed", news.message)
        lifecycle.end(session, ctx, row, row.generation, ending)
        return
    if news.stage is not Stage.FETCH:
        return
    task_leases.unlock_fetches(session, (row.id, row.generation), news.indexes)
    reason = news.reason or "FetchFailed"
    where = (row.id, row.generation)
    if revisions.skip_parts(session, where, news.indexes, reason=reason, message=news.message):
        lifecycle.advance(session, ctx, row, row.generation)
