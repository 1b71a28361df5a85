"""What people ask of compilations: submit, edit, cancel; and what became of the resource.

The wish for a resource (`outbox`) is kept with the request, so that a crash loses neither.
"""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session

from clipmill.protocol import SubmissionRefusal, Registration, CompilationState, SubmissionAction
from clipmill.spec import CompilationSpec, PreviewExtent, Manifest, Metadata, Quality
from clipmill_api.compilations import lifecycle, registration
from clipmill_api.compilations.lifecycle import Ending
from clipmill_api.context import Context, new_id
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import revisions
from clipmill_api.tables import CompilationRow, IdempotencyRow


def own(session: Session, owner: str, compilation_id: str) -> CompilationRow:
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
) -> CompilationRow:
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
    row = registration.add(session, ctx, new_id("r"), wish)
    row.outbox = SubmissionAction.APPLY.value
    lifecycle.begin(session, ctx, row, wish.spec, wish.generation)
    if key:
        made = IdempotencyRow(
            principal=owner,
            key=key,
            request_sha256=digest,
            compilation_id=row.id,
            created_at=ctx.now(),
        )
        revisions.add(session, made)
    return row


def preview(
    session: Session, ctx: Context, owner: str, compilation_id: str, extent: PreviewExtent
) -> CompilationRow:
    """A draft of a compilation as it is now, beside it; asked again, the same draft."""
    row = own(session, owner, compilation_id)
    now = revisions.revision(session, row.id, row.generation)
    wish = {"quality": Quality.DRAFT, "preview": extent}
    metadata = Metadata(name=row.name[:55].rstrip("-") + "-preview", namespace=row.namespace)
    manifest = Manifest(
        api_version="clipmill.dev/v1alpha1",
        kind="Compilation",
        metadata=metadata,
        spec=CompilationSpec.model_validate(now.spec).model_copy(update=wish),
    )
    key = f"preview of {row.id} {row.generation} {extent}"
    return create(session, ctx, owner, manifest, key)


def edit(
    session: Session, ctx: Context, owner: str, compilation_id: str, spec: CompilationSpec
) -> CompilationRow:
    """Another spec is a new generation; the same spec changes nothing."""
    refuse_foreign(owner, spec)
    row = revisions.locked(session, own(session, owner, compilation_id).id)
    now = revisions.revision(session, row.id, row.generation)
    if now.spec == lifecycle.stored(spec):
        return row
    lifecycle.begin(session, ctx, row, spec, row.generation + 1)
    row.outbox = SubmissionAction.APPLY.value
    return row


def cancel(session: Session, ctx: Context, row: CompilationRow) -> None:
    """The owner cancels: what runs ends and its resource goes; what has ended stays as it ended."""
    row = revisions.locked(session, row.id)
    ending = Ending(CompilationState.CANCELLED, "CancelledByOwner")
    if lifecycle.end(session, ctx, row, row.generation, ending):
        row.outbox = SubmissionAction.DELETE.value


def gone(session: Session, ctx: Context, row: CompilationRow) -> None:
    """The resource is no more: what runs ends. A later edit makes another."""
    lifecycle.end(session, ctx, row, row.generation, Ending(CompilationState.CANCELLED, "Deleted"))
    row.outbox, row.resource_generation = None, 0


def refused(session: Session, ctx: Context, row: CompilationRow, why: SubmissionRefusal) -> None:
    """No resource can be made of it: it fails, and says why."""
    row = revisions.locked(session, row.id)
    ending = Ending(CompilationState.FAILED, why.reason, why.message)
    lifecycle.end(session, ctx, row, row.generation, ending)
    row.outbox = None
