"""Create, edit and cancel compilations through the API.

What the operator must do with the resource is written to the outbox in the same transaction, so
that a crash loses neither.
"""

from __future__ import annotations

import hashlib
import secrets

from clipmill.protocol import (
    TERMINAL_STATES,
    CompilationState,
    OutputResult,
    Registration,
    SubmissionAction,
    SubmissionRefusal,
)
from clipmill.spec import CompilationSpec, Manifest, Metadata, PreviewExtent, Quality
from clipmill_api.compilations.lifecycle import start_revision
from clipmill_api.compilations.registration import add_compilation
from clipmill_api.compilations.resolution import dump_spec
from clipmill_api.compilations.revision_end import RevisionEnd, end_revision
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import compilation_records, media_library, revisions
from clipmill_api.queries.tombstones import RemovalReason
from clipmill_api.tables import CompilationRow, IdempotencyRow


def own_compilation(session: Session, owner: str, compilation_id: str) -> CompilationRow:
    """Return a compilation of this owner. Raise NotFound."""
    compilation = compilation_records.find_compilation(session, owner, compilation_id)
    if compilation is None:
        raise not_found("compilation", compilation_id)
    return compilation


def refuse_foreign_owner(owner: str, spec: CompilationSpec) -> None:
    """Raise Forbidden if the spec names another owner than the key's."""
    if spec.owner not in (None, owner):
        detail = f"spec.owner: {spec.owner!r} is not the key's owner {owner!r}; omit the field"
        raise ApiProblem(403, "Forbidden", detail, field="spec.owner")


def create_compilation(
    session: Session, ctx: Context, owner: str, manifest: Manifest, key: str | None
) -> CompilationRow:
    """Create a compilation, or return the one created before with the same Idempotency-Key."""
    refuse_foreign_owner(owner, manifest.spec)
    digest = hashlib.sha256(manifest.model_dump_json().encode()).hexdigest()
    earlier = compilation_records.find_idempotency(session, owner, key) if key else None
    if earlier is not None:
        if earlier.request_sha256 != digest:
            detail = f"Idempotency-Key: {key!r} was used before with a different request"
            raise ApiProblem(422, "IdempotencyKeyReused", detail)
        return own_compilation(session, owner, earlier.compilation_id)
    compilation = add_submission(session, ctx, owner, manifest)
    if key:
        idempotency = IdempotencyRow(
            principal=owner,
            key=key,
            request_sha256=digest,
            compilation_id=compilation.id,
            created_at=ctx.now(),
        )
        compilation_records.add_idempotency(session, idempotency)
    return compilation


def add_submission(
    session: Session, ctx: Context, owner: str, manifest: Manifest, *, is_episode: bool = False
) -> CompilationRow:
    """Create a compilation and ask the operator for its resource. Raise refusals."""
    registration = Registration(
        namespace=manifest.metadata.namespace or "default",
        name=manifest.metadata.name,
        generation=1,
        owner=owner,
        spec=manifest.spec,
    )
    compilation = add_compilation(session, ctx, new_id("r"), registration)
    _request_resource(compilation)
    spec, generation = registration.spec, registration.generation
    start_revision(session, ctx, compilation, spec, generation, is_episode=is_episode)
    return compilation


def create_preview(
    session: Session, ctx: Context, owner: str, compilation_id: str, extent: PreviewExtent
) -> CompilationRow:
    """Create a draft of the newest revision. A repeat returns it while it can be watched."""
    compilation = own_compilation(session, owner, compilation_id)
    revision = revisions.get_revision(session, compilation.id, compilation.generation)
    draft = {"quality": Quality.DRAFT, "preview": extent}
    manifest = Manifest(
        api_version="clipmill.dev/v1alpha1",
        kind="Compilation",
        metadata=Metadata(
            name=compilation.name[:55].rstrip("-") + "-preview", namespace=compilation.namespace
        ),
        spec=CompilationSpec.model_validate(revision.spec).model_copy(update=draft),
    )
    key = f"preview of {compilation.id} {compilation.generation} {extent}"
    earlier = compilation_records.find_idempotency(session, owner, key)
    if earlier is not None:
        draft_row = compilation_records.find_compilation(session, owner, earlier.compilation_id)
        if draft_row is not None and _can_be_watched(session, draft_row):
            return draft_row
        compilation_records.delete_idempotency(session, earlier)
    return create_compilation(session, ctx, owner, manifest, key)


def _can_be_watched(session: Session, compilation: CompilationRow) -> bool:
    """Return whether a draft is active, or has succeeded and its videos still exist."""
    revision = revisions.get_revision(session, compilation.id, compilation.generation)
    state = CompilationState(revision.state)
    if state is not CompilationState.SUCCEEDED:
        return state not in TERMINAL_STATES
    media_ids = {OutputResult.model_validate(output).media_id for output in revision.outputs}
    return media_library.media_by_ids(session, compilation.owner, media_ids).keys() == media_ids


def read_spec(
    session: Session, owner: str, compilation_id: str, generation: int | None
) -> tuple[int, CompilationSpec]:
    """Return a generation, by default the newest, and its spec. Raises 404."""
    compilation = own_compilation(session, owner, compilation_id)
    number = generation or compilation.generation
    revision = revisions.find_revision(session, compilation.id, number)
    if revision is None:
        raise not_found("generation", str(number))
    return number, CompilationSpec.model_validate(revision.spec)


def edit_spec(
    session: Session,
    ctx: Context,
    owner: str,
    compilation_id: str,
    spec: CompilationSpec,
    *,
    expected: int | None = None,
) -> CompilationRow:
    """Start a revision with another spec. The same spec changes nothing.

    Args:
        session: Session of a write.
        ctx: Objects of the app.
        owner: User who edits.
        compilation_id: Compilation of that user.
        spec: New spec.
        expected: Newest generation that the editor knows; any if it is None.

    Raises:
        ApiProblem: 404, 412 if there is a newer generation, or the refusal of the spec.
    """
    refuse_foreign_owner(owner, spec)
    compilation_id = own_compilation(session, owner, compilation_id).id
    compilation = compilation_records.lock_compilation(session, compilation_id)
    if expected not in (None, compilation.generation):
        detail = f"If-Match: generation {expected} is not the newest, {compilation.generation}"
        raise ApiProblem(412, "GenerationChanged", detail, generation=compilation.generation)
    revision = revisions.get_revision(session, compilation.id, compilation.generation)
    if revision.spec == dump_spec(spec):
        return compilation
    start_revision(session, ctx, compilation, spec, compilation.generation + 1)
    _request_resource(compilation)
    return compilation


def _request_resource(compilation: CompilationRow) -> None:
    """Ask the operator for the resource; one that is created may be bound once, by the nonce."""
    compilation.outbox = SubmissionAction.APPLY.value
    if not compilation.resource_generation and not compilation.binding_nonce:
        compilation.binding_nonce = secrets.token_urlsafe(32)


def cancel_compilation(session: Session, ctx: Context, compilation: CompilationRow) -> None:
    """Cancel an active compilation and delete its resource. A terminal one does not change."""
    compilation = compilation_records.lock_compilation(session, compilation.id)
    end = RevisionEnd(CompilationState.CANCELLED, "CancelledByOwner")
    if end_revision(session, ctx, compilation, compilation.generation, end):
        compilation.outbox = SubmissionAction.DELETE.value


def remove_compilation(
    session: Session, ctx: Context, compilation: CompilationRow, end: RevisionEnd
) -> None:
    """End a compilation if it is active, and delete its resource; its files expire at once."""
    end_revision(session, ctx, compilation, compilation.generation, end)
    compilation.expires_at = ctx.now()
    compilation.outbox = SubmissionAction.DELETE.value


def resource_deleted(session: Session, ctx: Context, compilation: CompilationRow) -> None:
    """Cancel an active compilation whose resource is deleted. A later edit creates another.

    If a person deleted the resource, its files expire at once, by the retention rule. A report
    that is repeated finds no resource.
    """
    end = RevisionEnd(CompilationState.CANCELLED, "Deleted")
    end_revision(session, ctx, compilation, compilation.generation, end)
    if compilation.resource_generation and compilation.outbox != SubmissionAction.DELETE:
        compilation.expires_at = ctx.now()
        compilation.removal_reason = RemovalReason.RESOURCE_DELETED.value
    compilation.outbox, compilation.resource_generation = None, 0
    compilation.binding_nonce = None


def fail_submission(
    session: Session, ctx: Context, compilation: CompilationRow, refusal: SubmissionRefusal
) -> None:
    """Fail a compilation whose resource the operator cannot apply."""
    compilation = compilation_records.lock_compilation(session, compilation.id)
    end = RevisionEnd(CompilationState.FAILED, refusal.reason, refusal.message)
    end_revision(session, ctx, compilation, compilation.generation, end)
    compilation.outbox = compilation.binding_nonce = None
