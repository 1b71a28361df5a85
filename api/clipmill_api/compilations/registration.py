"""A resource is told: taken in once, told apart from what is known, bound to what was submitted."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clipmill.protocol import Registration, CompilationState, SubmissionAction
from clipmill_api.compilations import lifecycle
from clipmill_api.compilations.lifecycle import Ending
from clipmill_api.compilations.planning import Planned
from clipmill_api.context import Context, new_id
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import revisions, users_and_keys
from clipmill_api.tables import CompilationRow

CONFLICTS = frozenset({"OwnerConflict", "StaleGeneration", "GenerationConflict"})
"""Codes that say: this is not the newest wish of this resource."""


def register(
    session: Session, ctx: Context, uid: str, wish: Registration
) -> tuple[CompilationRow, Planned | None]:
    """Take a resource's generation in, once. Raises refusals and conflicts.

    Answers what was planned too, if this call took it in.
    """
    planned = None
    if not users_and_keys.exists(session, wish.owner):
        raise ApiProblem(422, "UnknownOwner", f"owner: there is no user {wish.owner!r}")
    row = revisions.by_uid(session, uid, lock=True) or _submitted(session, uid, wish)
    if row is None:
        row = add(session, ctx, uid, wish, resource_generation=wish.generation)
        planned = lifecycle.begin(session, ctx, row, wish.spec, wish.generation)
    elif not _is_known(session, row, wish):
        generation = max(row.generation + 1, wish.generation)
        row.resource_generation, row.outbox = wish.generation, None
        planned = lifecycle.begin(session, ctx, row, wish.spec, generation)
    return row, planned


def add(
    session: Session, ctx: Context, uid: str, wish: Registration, *, resource_generation: int = 0
) -> CompilationRow:
    """A new compilation, with no generation yet."""
    row = CompilationRow(
        id=new_id("c"),
        uid=uid,
        owner=wish.owner,
        namespace=wish.namespace,
        name=wish.name,
        generation=wish.generation,
        resource_generation=resource_generation,
        created_at=ctx.now(),
    )
    revisions.add(session, row)
    return row


def refused(session: Session, ctx: Context, uid: str, wish: Registration) -> None:
    """A newer wish was refused: the one before is wished no more, and ends."""
    row = revisions.by_uid(session, uid, lock=True)
    if row is not None and row.owner == wish.owner and wish.generation > row.resource_generation:
        ending = Ending(CompilationState.SUPERSEDED, "Edited", "a newer spec was refused")
        lifecycle.end(session, ctx, row, row.generation, ending)


def _submitted(session: Session, uid: str, wish: Registration) -> CompilationRow | None:
    """The compilation that the API was asked for: from now on this resource is it."""
    if wish.submission is None:
        return None
    row = revisions.submitted(session, wish.submission)
    if row is None or row.owner != wish.owner:
        detail = f"no compilation {wish.submission!r} of {wish.owner!r} was submitted"
        raise ApiProblem(422, "UnknownSubmission", detail)
    if row.resource_generation:
        detail = f"compilation {wish.submission!r} is another resource already"
        raise ApiProblem(409, "SubmissionTaken", detail)
    row.uid, row.namespace, row.name = uid, wish.namespace, wish.name
    session.flush()
    return row


def _is_known(session: Session, row: CompilationRow, wish: Registration) -> bool:
    """Whether this very generation was taken in before. Raises conflicts.

    A resource's generation and ours differ where the API was asked for several changes before
    the resource got one: then the resource's next generation is the newest of ours.
    """
    if wish.owner != row.owner:
        raise ApiProblem(409, "OwnerConflict", f"{row.name!r} belongs to another owner")
    known = row.resource_generation
    if wish.generation < known:
        detail = f"generation {wish.generation} is older than {known}, which is known"
        raise ApiProblem(409, "StaleGeneration", detail, generation=known)
    newest = revisions.revision(session, row.id, row.generation)
    same = newest.spec == lifecycle.stored(wish.spec)
    if same and row.outbox == SubmissionAction.APPLY:
        row.resource_generation, row.outbox = wish.generation, None
        return True
    if wish.generation > known:
        return False
    if not same and row.outbox is None:
        detail = f"generation {wish.generation} is known with another spec"
        raise ApiProblem(409, "GenerationConflict", detail, generation=known)
    return True
