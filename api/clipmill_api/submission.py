"""What people ask of compilations: submit, edit, cancel. The operator's path is `lifecycle`."""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session

from clipmill.contract import CompilationSpec, Manifest, Registration, State
from clipmill_api import lifecycle
from clipmill_api.context import Context, new_id
from clipmill_api.lifecycle import Ending
from clipmill_api.problems import ApiProblem, not_found
from clipmill_api.queries import revisions
from clipmill_api.tables import Compilation, Idempotency


def own(session: Session, owner: str, compilation_id: str) -> Compilation:
    """A compilation of this owner. Raises NotFound."""
    row = revisions.compilation(session, owner, compilation_id)
    if row is None:
        raise not_found("compilation", compilation_id)
    return row


def refuse_foreign(owner: str, spec: CompilationSpec) -> None:
    """`spec.owner` may say who asks, and nobody else. Raises Forbidden."""
    if spec.owner not in (None, owner):
        detail = f"spec.owner: {spec.owner!r} is not you ({owner!r}); leave it out"
        raise ApiProblem(403, "Forbidden", detail, field="spec.owner")


def create(
    session: Session, ctx: Context, owner: str, manifest: Manifest, key: str | None
) -> Compilation:
    """A new compilation, or the one that this Idempotency-Key made before."""
    refuse_foreign(owner, manifest.spec)
    digest = hashlib.sha256(manifest.model_dump_json().encode()).hexdigest()
    before = revisions.idempotent(session, owner, key) if key else None
    if before is not None:
        if before.request_sha256 != digest:
            detail = "Idempotency-Key: it was used before, with another request"
            raise ApiProblem(422, "IdempotencyKeyReused", detail)
        return own(session, owner, before.compilation_id)
    wish = Registration(
        namespace=manifest.metadata.namespace or "default",
        name=manifest.metadata.name,
        generation=1,
        owner=owner,
        spec=manifest.spec,
    )
    row = lifecycle.register(session, ctx, new_id("r"), wish)
    if key:
        made = Idempotency(
            principal=owner,
            key=key,
            request_sha256=digest,
            compilation_id=row.id,
            created_at=ctx.now(),
        )
        revisions.add(session, made)
    return row


def edit(
    session: Session, ctx: Context, owner: str, compilation_id: str, spec: CompilationSpec
) -> Compilation:
    """Another spec is a new generation; the same spec changes nothing."""
    refuse_foreign(owner, spec)
    row = own(session, owner, compilation_id)
    now = revisions.revision(session, row.id, row.generation)
    if now.spec == lifecycle.stored(spec):
        return row
    wish = Registration(
        namespace=row.namespace,
        name=row.name,
        generation=row.generation + 1,
        owner=owner,
        spec=spec,
    )
    return lifecycle.register(session, ctx, row.uid, wish)


def cancel(session: Session, ctx: Context, row: Compilation, reason: str) -> None:
    """End what runs; what has ended stays as it ended."""
    lifecycle.end(session, ctx, row, row.generation, Ending(State.CANCELLED, reason))
