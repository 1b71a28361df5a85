"""Routes by which the operator registers generations, one or many in a request."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from clipmill.protocol import RegisteredPlan, Registration, Stage, StageKey
from clipmill.protocol.operator_messages import (
    UID_PATTERN,
    IdentifiedRegistration,
    RegistrationBatch,
    RegistrationRefusal,
    RegistrationReply,
)
from clipmill_api.compilations import plan_reader, registration
from clipmill_api.compilations.plan_models import CompilationPlan
from clipmill_api.context import Context, Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import operator_only
from clipmill_api.http.job_keys import add_job_key
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.tables import CompilationRow

router = APIRouter(prefix="/api/operator", tags=["operator"], dependencies=[Depends(operator_only)])
Uid = Annotated[str, Path(pattern=UID_PATTERN)]
Registered = tuple[plan_reader.PlanInputs, StageKey | None]


@router.put("/compilations/{uid}")
def register_compilation(
    ctx: Ctx, uid: Uid, request: Registration, with_key: bool = False
) -> RegisteredPlan:
    """Register a generation of a resource and return its plan, or refuse it.

    With `with_key`, the reply to a new generation holds the key of its first stage.
    """
    return _register_one(ctx, uid, request, with_key=with_key)


@router.post("/registrations")
def register_compilations(ctx: Ctx, request: RegistrationBatch) -> list[RegistrationReply]:
    """Register generations of several resources, in the order of the request.

    Each reply to a new generation holds the key of its first stage. All are registered in one
    transaction; if one of them is refused, each in its own, so that it affects no other.
    """

    def register_all(session: Session) -> list[Registered]:
        return [
            _register(session, ctx, item.uid, item.registration, with_key=True)
            for item in request.registrations
        ]

    try:
        registered = ctx.db.write(register_all)
    except ApiProblem:
        return [_reply(ctx, item) for item in request.registrations]
    return [RegistrationReply(plan=_plan(ctx, *each)) for each in registered]


def _reply(ctx: Context, item: IdentifiedRegistration) -> RegistrationReply:
    try:
        plan = _register_one(ctx, item.uid, item.registration, with_key=True)
    except ApiProblem as problem:
        ctx.metrics.refusals.labels(problem.code).inc()
        refusal = RegistrationRefusal(
            status=problem.status, code=problem.code, detail=problem.detail
        )
        return RegistrationReply(refusal=refusal)
    return RegistrationReply(plan=plan)


def _register_one(
    ctx: Context, uid: str, request: Registration, *, with_key: bool
) -> RegisteredPlan:
    """Register one generation in a transaction of its own. Raises ApiProblem."""
    try:
        registered = ctx.db.write(
            partial(_register, ctx=ctx, uid=uid, request=request, with_key=with_key)
        )
    except ApiProblem as problem:
        if problem.code not in registration.CONFLICTS:
            refused = partial(
                registration.record_refusal,
                ctx=ctx,
                uid=uid,
                registration=request,
                problem=problem,
            )
            ctx.db.write(refused)
        raise
    return _plan(ctx, *registered)


def _register(
    session: Session, ctx: Context, uid: str, request: Registration, *, with_key: bool
) -> Registered:
    row, planned = registration.register(session, ctx, uid, request)
    key = _first_key(session, row, planned) if with_key and planned else None
    return plan_reader.read_plan_inputs(session, ctx, row, planned), key


def _first_key(session: Session, row: CompilationRow, planned: CompilationPlan) -> StageKey:
    stage = Stage.FETCH if planned.resolved.is_waiting else Stage.ASSEMBLE
    return StageKey(generation=row.generation, stage=stage, key=add_job_key(session, row, stage))


def _plan(ctx: Context, inputs: plan_reader.PlanInputs, key: StageKey | None) -> RegisteredPlan:
    return RegisteredPlan(**dict(plan_reader.build_plan(ctx, inputs)), key=key)
