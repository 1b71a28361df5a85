"""Register generations of resources, each once, and bind resources to submissions."""

from __future__ import annotations

from clipmill.protocol import CompilationState, Registration, SubmissionAction
from clipmill.protocol.submission_proof import is_proof
from clipmill_api.compilations.lifecycle import start_revision
from clipmill_api.compilations.plan_models import CompilationPlan
from clipmill_api.compilations.resolution import dump_spec
from clipmill_api.compilations.revision_end import RevisionEnd, end_revision
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.notifications import outbox
from clipmill_api.queries import compilation_records, revisions, users_and_keys
from clipmill_api.tables import CompilationRow

# Codes of registrations that are not the newest generation of their resource.
CONFLICTS = frozenset({"OwnerConflict", "StaleGeneration", "GenerationConflict"})


def register(
    session: Session, ctx: Context, uid: str, registration: Registration
) -> tuple[CompilationRow, CompilationPlan | None]:
    """Register a generation of a resource. Repeating it changes nothing.

    Returns:
        The compilation, and its plan if this call started a revision that did not fail at once.

    Raises:
        ApiProblem: A refusal, or one of CONFLICTS.
    """
    owner = registration.owner
    if not users_and_keys.user_exists(session, owner):
        raise ApiProblem(422, "UnknownOwner", f"owner: user {owner!r} does not exist")
    compilation = compilation_records.find_by_uid(session, uid, lock=True)
    compilation = compilation or _bind_submission(session, uid, registration)
    if compilation is None:
        compilation = add_compilation(
            session, ctx, uid, registration, resource_generation=registration.generation
        )
        generation = registration.generation
    elif _is_registered(session, compilation, registration):
        return compilation, None
    else:
        generation = max(compilation.generation + 1, registration.generation)
        compilation.resource_generation = registration.generation
        compilation.outbox = None
    plan = start_revision(session, ctx, compilation, registration.spec, generation)
    return compilation, plan


def add_compilation(
    session: Session,
    ctx: Context,
    uid: str,
    registration: Registration,
    *,
    resource_generation: int = 0,
) -> CompilationRow:
    """Insert a compilation without revisions."""
    compilation = CompilationRow(
        id=new_id("c"),
        uid=uid,
        owner=registration.owner,
        namespace=registration.namespace,
        name=registration.name,
        generation=registration.generation,
        resource_generation=resource_generation,
        created_at=ctx.now(),
        # Set, so that the first revision, which resets them, has nothing to update.
        expires_at=None,
        removed_at=None,
        removal_reason=None,
    )
    compilation_records.add_compilation(session, compilation)
    return compilation


def record_refusal(
    session: Session, ctx: Context, uid: str, registration: Registration, problem: ApiProblem
) -> None:
    """Notify of a refused generation, and end the active revision of its resource."""
    outbox.compilation_refused(session, ctx, uid, registration, problem)
    compilation = compilation_records.find_by_uid(session, uid, lock=True)
    if compilation is None or compilation.owner != registration.owner:
        return
    if registration.generation > compilation.resource_generation:
        end = RevisionEnd(CompilationState.SUPERSEDED, "Edited", "a newer spec was refused")
        end_revision(session, ctx, compilation, compilation.generation, end)


def _bind_submission(
    session: Session, uid: str, registration: Registration
) -> CompilationRow | None:
    """Bind a resource to the submission it names, once. Return None if it names none.

    Raises:
        ApiProblem: UnknownSubmission or SubmissionTaken, also for the submission of another owner
            or without the operator's proof: what a resource says of itself proves nothing.
    """
    submission = registration.submission
    if submission is None:
        return None
    compilation = compilation_records.find_and_lock(session, submission)
    if compilation is None or compilation.owner != registration.owner:
        detail = f"submission: owner {registration.owner!r} has no submission {submission!r}"
        raise ApiProblem(422, "UnknownSubmission", detail, field="submission")
    if compilation.resource_generation:
        detail = f"submission: {submission!r} is bound to another resource"
        raise ApiProblem(409, "SubmissionTaken", detail, field="submission")
    if not is_proof(
        registration.submission_proof,
        compilation.binding_nonce,
        submission=submission,
        namespace=registration.namespace,
        name=registration.name,
    ):
        detail = f"submission: {submission!r} was not submitted for this resource"
        raise ApiProblem(422, "UnknownSubmission", detail, field="submission")
    compilation.uid, compilation.binding_nonce = uid, None
    compilation.namespace, compilation.name = registration.namespace, registration.name
    session.flush()
    return compilation


def _is_registered(
    session: Session, compilation: CompilationRow, registration: Registration
) -> bool:
    """Return whether this generation was registered before. Raise CONFLICTS.

    A resource's generation is lower than the compilation's if several edits through the API
    became one change of the resource. Then its next generation is the compilation's newest.
    """
    if registration.owner != compilation.owner:
        detail = f"owner: compilation {compilation.name!r} belongs to another owner"
        raise ApiProblem(409, "OwnerConflict", detail)
    generation, newest = registration.generation, compilation.resource_generation
    if generation < newest:
        detail = f"generation: {generation} is older than the registered generation {newest}"
        raise ApiProblem(409, "StaleGeneration", detail, generation=newest)
    revision = revisions.get_revision(session, compilation.id, compilation.generation)
    is_same_spec = revision.spec == dump_spec(registration.spec)
    if is_same_spec and compilation.outbox == SubmissionAction.APPLY:
        compilation.resource_generation, compilation.outbox = generation, None
        return True
    if generation > newest:
        return False
    if not is_same_spec and compilation.outbox is None:
        detail = f"generation: {generation} is registered with a different spec"
        raise ApiProblem(409, "GenerationConflict", detail, generation=newest)
    return True
