"""Keys of jobs: each is bound to a generation and a stage; that of a claim to its task too."""

from __future__ import annotations

from typing import Any

from clipmill.protocol import Assignment, Stage
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal, new_key_columns
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import revisions, users_and_keys
from clipmill_api.tables import CompilationRow
from clipmill_api.tasks import leases


def add_job_key(session: Session, compilation: CompilationRow, stage: Stage) -> str:
    """Add a key for a stage of the newest generation; return its secret, which is not stored."""
    return _add_key(
        session,
        compilation.owner,
        compilation_id=compilation.id,
        generation=compilation.generation,
        stage=stage.value,
    )


def add_task_key(session: Session, principal: Principal, assignment: Assignment) -> str:
    """Add a key for a claimed task; return its secret, which is not stored."""
    return _add_key(
        session,
        principal.owner,
        compilation_id=assignment.compilation_id,
        generation=assignment.generation,
        stage=assignment.stage.value,
        task_index=assignment.index,
        epoch=assignment.epoch,
    )


def _add_key(session: Session, owner: str, **columns: Any) -> str:
    key, secret = new_key_columns("job", owner, **columns)
    users_and_keys.add_job_key(session, key)
    return secret


def replace_job_key(
    session: Session, ctx: Context, compilation: CompilationRow, *, generation: int, stage: Stage
) -> str:
    """Add a key for a stage, and revoke its earlier keys.

    Raises:
        ApiProblem: 409 if the generation is not the newest, or has ended.
    """
    _require_active(session, compilation, generation)
    users_and_keys.revoke_stage_keys(
        session, compilation.id, generation=generation, stage=stage.value, at=ctx.now()
    )
    return add_job_key(session, compilation, stage)


def _require_active(session: Session, compilation: CompilationRow, generation: int) -> None:
    newest = compilation.generation
    if generation != newest:
        detail = f"generation: {generation} is not the newest, {newest}"
        raise ApiProblem(409, "StaleGeneration", detail, generation=newest)
    leases.refuse_terminal(revisions.get_revision(session, compilation.id, generation))
