"""What the operator asks: generations in, keys out, news of dead pods."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session

from clipmill.contract import (
    ENDS,
    Active,
    CompilationView,
    FailedParts,
    KeyReply,
    KeyRequest,
    Plan,
    Registration,
    State,
)
from clipmill_api import lifecycle, submission, views, work
from clipmill_api.auth import digest, new_key, operator_only
from clipmill_api.context import Ctx, new_id
from clipmill_api.problems import ApiProblem, not_found
from clipmill_api.queries import people, revisions
from clipmill_api.tables import Compilation, Key

router = APIRouter(prefix="/api/operator", tags=["operator"], dependencies=[Depends(operator_only)])
Uid = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


def _row(session: Session, uid: str, *, lock: bool = False) -> Compilation:
    row = revisions.by_uid(session, uid, lock=lock)
    if row is None:
        raise not_found("compilation", uid)
    return row


@router.put("/compilations/{uid}")
def register(ctx: Ctx, uid: Uid, wish: Registration) -> Plan:
    """Tell of a generation. Answers its plan, or the refusal with its numbers."""

    def registered(session: Session) -> Plan:
        row = lifecycle.register(session, ctx, uid, wish)
        return views.plan(session, ctx, row)

    return ctx.db.write(registered)


@router.get("/compilations/{uid}")
def plan(ctx: Ctx, uid: Uid) -> Plan:
    """The plan of the newest generation."""
    with ctx.db.read() as session:
        return views.plan(session, ctx, _row(session, uid))


@router.get("/compilations/{uid}/status")
def status(ctx: Ctx, uid: Uid) -> CompilationView:
    """State, progress and outputs of the newest generation."""
    with ctx.db.read() as session:
        return views.newest(session, ctx, _row(session, uid))


@router.get("/active")
def active(ctx: Ctx, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> list[Active]:
    """Compilations that have not ended, oldest first."""
    with ctx.db.read() as session:
        rows = revisions.active(session, limit)
        clips = revisions.clips_of(session, [(row.id, r.generation) for row, r in rows])
    return [views.active(ctx, row, r, clips[row.id, r.generation]) for row, r in rows]


@router.delete("/compilations/{uid}", status_code=204)
def gone(ctx: Ctx, uid: Uid) -> None:
    """The resource was deleted: what runs is cancelled, its keys die, its quota is free."""

    def cancelled(session: Session) -> None:
        row = revisions.by_uid(session, uid, lock=True)
        if row is not None:
            submission.cancel(session, ctx, row, "Deleted")

    ctx.db.write(cancelled)


@router.post("/compilations/{uid}/keys", status_code=201)
def mint(ctx: Ctx, uid: Uid, asked: KeyRequest) -> KeyReply:
    """A fresh key for the pods of one stage; earlier ones of that stage end."""
    secret = new_key("job")

    def minted(session: Session) -> None:
        row = _row(session, uid, lock=True)
        _refuse_ended(session, row, asked.generation)
        stage = asked.stage.value
        people.revoke_stage_keys(
            session, row.id, generation=asked.generation, stage=stage, at=ctx.now()
        )
        key = Key(
            id=new_id("s"),
            secret_sha256=digest(secret),
            role="job",
            owner=row.owner,
            compilation_id=row.id,
            generation=asked.generation,
            stage=stage,
        )
        people.add_key(session, key)

    ctx.db.write(minted)
    return KeyReply(key=secret)


def _refuse_ended(session: Session, row: Compilation, generation: int) -> None:
    if generation != row.generation:
        detail = f"generation {generation} is not the newest, {row.generation}"
        raise ApiProblem(409, "StaleGeneration", detail, generation=row.generation)
    revision = revisions.revision(session, row.id, generation)
    if State(revision.state) in ENDS:
        raise work.ended(revision)


@router.post("/compilations/{uid}/failed")
def failed(ctx: Ctx, uid: Uid, news: FailedParts) -> Plan:
    """Parts whose pods will not be tried again: clips are skipped, or the render has failed."""

    def told(session: Session) -> Plan:
        row = _row(session, uid, lock=True)
        if news.generation == row.generation:
            work.parts_failed(session, ctx, row, news)
        return views.plan(session, ctx, row)

    return ctx.db.write(told)
