"""What the operator asks: generations in, keys out, news of dead pods."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session

from clipmill.protocol import (
    TERMINAL_STATES,
    ActiveCompilation,
    CompilationView,
    FailedTasks,
    StageKey,
    KeyReply,
    KeyRequest,
    Plan,
    SubmissionRefusal,
    RegisteredPlan,
    Registration,
    Stage,
    CompilationState,
    Submission,
)
from clipmill_api.compilations import plan_reader, registration, responses, submission
from clipmill_api.compilations.planning import Planned
from clipmill_api.context import Ctx, new_id
from clipmill_api.http.authentication import digest, new_key, operator_only
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import revisions, users_and_keys
from clipmill_api.tables import CompilationRow, KeyRow
from clipmill_api.tasks import leases, outcome

router = APIRouter(prefix="/api/operator", tags=["operator"], dependencies=[Depends(operator_only)])
Limit = Annotated[int, Query(ge=1, le=2000)]
Uid = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


def _row(session: Session, uid: str, *, lock: bool = False) -> CompilationRow:
    row = revisions.by_uid(session, uid, lock=lock)
    if row is None:
        raise not_found("compilation", uid)
    return row


@router.put("/compilations/{uid}")
def register(ctx: Ctx, uid: Uid, wish: Registration, with_key: bool = False) -> RegisteredPlan:
    """Tell of a generation. Answers its plan, or the refusal with its numbers.

    `with_key`: if the generation is new, the key of its first stage comes with the plan.
    """

    def registered(session: Session) -> tuple[plan_reader.Read, StageKey | None]:
        row, planned = registration.register(session, ctx, uid, wish)
        key = _first_key(session, row, planned) if with_key and planned else None
        return plan_reader.read(session, ctx, row, planned), key

    try:
        found, key = ctx.db.write(registered)
    except ApiProblem as problem:
        if problem.code not in registration.CONFLICTS:
            ctx.db.write(lambda session: registration.refused(session, ctx, uid, wish))
        raise
    return RegisteredPlan(**dict(plan_reader.drawn(ctx, found)), key=key)


@router.get("/compilations/{uid}")
def plan(ctx: Ctx, uid: Uid) -> Plan:
    """The plan of the newest generation."""
    with ctx.db.read() as session:
        return plan_reader.plan(session, ctx, _row(session, uid))


@router.get("/compilations/{uid}/status")
def status(ctx: Ctx, uid: Uid) -> CompilationView:
    """State, progress and outputs of the newest generation."""
    with ctx.db.read() as session:
        return responses.newest(session, ctx, _row(session, uid))


@router.get("/active")
def active(ctx: Ctx, limit: Limit = 100) -> list[ActiveCompilation]:
    """Compilations that have not ended, oldest first."""
    with ctx.db.read() as session:
        rows = revisions.active(session, limit)
        clips = revisions.clips_of(session, [(row.id, r.generation) for row, r in rows])
    return [responses.active(ctx, row, r, clips[row.id, r.generation]) for row, r in rows]


@router.get("/submissions")
def submissions(ctx: Ctx, limit: Limit = 100) -> list[Submission]:
    """Resources that are to be made, changed or deleted, oldest first, until they are."""
    with ctx.db.read() as session:
        rows = revisions.outbox(session, limit)
    return [responses.submission(row, revision) for row, revision in rows]


@router.post("/submissions/{compilation_id}/refused", status_code=204)
def refused(ctx: Ctx, compilation_id: str, why: SubmissionRefusal) -> None:
    """No resource can be made of a submission: it has failed."""

    def told(session: Session) -> None:
        row = revisions.submitted(session, compilation_id)
        if row is None:
            raise not_found("compilation", compilation_id)
        submission.refused(session, ctx, row, why)

    ctx.db.write(told)


@router.delete("/compilations/{uid}", status_code=204)
def gone(ctx: Ctx, uid: Uid) -> None:
    """The resource was deleted: what runs is cancelled, its keys die, its quota is free."""

    def cancelled(session: Session) -> None:
        row = revisions.by_uid(session, uid, lock=True)
        if row is not None:
            submission.gone(session, ctx, row)

    ctx.db.write(cancelled)


@router.post("/compilations/{uid}/keys", status_code=201)
def mint(ctx: Ctx, uid: Uid, asked: KeyRequest) -> KeyReply:
    """A fresh key for the pods of one stage; earlier ones of that stage end."""

    def minted(session: Session) -> str:
        row = _row(session, uid, lock=True)
        _refuse_ended(session, row, asked.generation)
        users_and_keys.revoke_stage_keys(
            session, row.id, generation=asked.generation, stage=asked.stage.value, at=ctx.now()
        )
        return _new_key(session, row, asked.stage)

    return KeyReply(key=ctx.db.write(minted))


def _first_key(session: Session, row: CompilationRow, now: Planned) -> StageKey:
    """Of a generation that was taken in just now: there is no earlier one to end."""
    stage = Stage.FETCH if now.known.waits else Stage.ASSEMBLE
    key = _new_key(session, row, stage)
    return StageKey(generation=row.generation, stage=stage, key=key)


def _new_key(session: Session, row: CompilationRow, stage: Stage) -> str:
    """The secret of a key of the newest generation; only its hash is kept."""
    secret = new_key("job")
    key = KeyRow(
        id=new_id("s"),
        secret_sha256=digest(secret),
        role="job",
        owner=row.owner,
        compilation_id=row.id,
        generation=row.generation,
        stage=stage.value,
    )
    users_and_keys.add_key(session, key)
    return secret


def _refuse_ended(session: Session, row: CompilationRow, generation: int) -> None:
    if generation != row.generation:
        detail = f"generation {generation} is not the newest, {row.generation}"
        raise ApiProblem(409, "StaleGeneration", detail, generation=row.generation)
    revision = revisions.revision(session, row.id, generation)
    if CompilationState(revision.state) in TERMINAL_STATES:
        raise leases.ended(revision)


@router.post("/compilations/{uid}/failed")
def failed(ctx: Ctx, uid: Uid, news: FailedTasks) -> Plan:
    """Parts whose pods will not be tried again: clips are skipped, or the render has failed."""

    def told(session: Session) -> Plan:
        row = _row(session, uid, lock=True)
        if news.generation == row.generation:
            outcome.parts_failed(session, ctx, row, news)
        return plan_reader.plan(session, ctx, row)

    return ctx.db.write(told)
