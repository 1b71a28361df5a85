"""Register, create, edit and delete shows."""

from __future__ import annotations

from typing import Any

from clipmill.protocol import CompilationState
from clipmill.shows.show_messages import NewShow, ShowRegistration
from clipmill.shows.show_spec import ShowSpec
from clipmill_api.compilations import submission
from clipmill_api.compilations.revision_end import RevisionEnd
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import compilation_records, users_and_keys
from clipmill_api.queries.shows import episode_rows, show_rows
from clipmill_api.shows.episode_end import apply_history
from clipmill_api.shows.episode_start import evaluate_show
from clipmill_api.shows.show_checks import find_problem
from clipmill_api.shows.show_views import has_resource
from clipmill_api.tables import ShowRow

API_NAMESPACE = "default"
MAX_SHOWS = 1000


def dump_show_spec(spec: ShowSpec) -> dict[str, Any]:
    """Return a spec as it is stored."""
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def register_show(
    session: Session, ctx: Context, uid: str, registration: ShowRegistration
) -> ShowRow:
    """Register a generation of a Show resource. Repeating it changes nothing.

    What keeps the show from making episodes is stored with it, and is no error of the call.

    Raises:
        ApiProblem: UnknownOwner, OwnerConflict, StaleGeneration or GenerationConflict.
    """
    owner = registration.owner
    if not users_and_keys.user_exists(session, owner):
        raise ApiProblem(422, "UnknownOwner", f"owner: user {owner!r} does not exist")
    show = show_rows.lock_identity(session, uid)
    if show is None:
        _delete_earlier_resource(session, ctx, registration)
        show = _new_show(ctx, uid, registration)
        show_rows.add_show(session, show)
        evaluate_show(session, ctx, show, resumed=ctx.now())
    elif _is_new_generation(show, registration):
        _replace_spec(session, ctx, show, registration.spec, registration.generation)
    return show


def _delete_earlier_resource(
    session: Session, ctx: Context, registration: ShowRegistration
) -> None:
    """Delete the show of a resource of the same name, which no longer exists."""
    for show in show_rows.list_named(session, registration.namespace, registration.name):
        if has_resource(show):
            delete_show(session, ctx, show)


def _new_show(ctx: Context, identity: str, registration: ShowRegistration) -> ShowRow:
    now = ctx.now()
    return ShowRow(
        id=new_id("h"),
        identity=identity,
        owner=registration.owner,
        namespace=registration.namespace,
        name=registration.name,
        generation=registration.generation,
        spec=dump_show_spec(registration.spec),
        ready=True,
        reason="",
        message="",
        episodes=0,
        counted_from=now,
        changed_at=now,
        created_at=now,
    )


def _is_new_generation(show: ShowRow, registration: ShowRegistration) -> bool:
    if registration.owner != show.owner:
        detail = f"owner: show {show.name!r} belongs to another owner"
        raise ApiProblem(409, "OwnerConflict", detail)
    generation, newest = registration.generation, show.generation
    if generation < newest:
        detail = f"generation: {generation} is older than the registered generation {newest}"
        raise ApiProblem(409, "StaleGeneration", detail, generation=newest)
    if generation > newest:
        return True
    if show.spec != dump_show_spec(registration.spec):
        detail = f"generation: {generation} is registered with a different spec"
        raise ApiProblem(409, "GenerationConflict", detail, generation=newest)
    return False


def _replace_spec(
    session: Session, ctx: Context, show: ShowRow, spec: ShowSpec, generation: int
) -> None:
    earlier = ShowSpec.model_validate(show.spec)
    now = ctx.now()
    show.spec, show.generation, show.changed_at = dump_show_spec(spec), generation, now
    if (earlier.schedule, earlier.time_zone) != (spec.schedule, spec.time_zone):
        # Times of another schedule have not been missed.
        show.counted_from = max(show.counted_from, now)
    evaluate_show(session, ctx, show, resumed=now)
    apply_history(session, ctx, show)


def create_show(session: Session, ctx: Context, owner: str, request: NewShow) -> ShowRow:
    """Create a show without a resource. The same request again returns the same show.

    Raises:
        ApiProblem: InvalidShow, ShowExists or ShowLimit.
    """
    registration = ShowRegistration(
        namespace=API_NAMESPACE, name=request.name, generation=1, owner=owner, spec=request.spec
    )
    identity = f"{owner}/{request.name}"
    existing = show_rows.lock_identity(session, identity)
    if existing is not None:
        if existing.spec == dump_show_spec(request.spec):
            return existing
        detail = f"name: show {request.name!r} exists with another spec; edit it or delete it"
        raise ApiProblem(409, "ShowExists", detail, show=existing.id)
    if len(show_rows.list_shows(session, owner)) >= MAX_SHOWS:
        detail = f"shows: an owner may have {MAX_SHOWS}; delete one first"
        raise ApiProblem(403, "ShowLimit", detail, limit=MAX_SHOWS)
    show = _new_show(ctx, identity, registration)
    _refuse_problem(session, ctx, show)
    show_rows.add_show(session, show)
    evaluate_show(session, ctx, show, resumed=ctx.now())
    return show


def edit_show(session: Session, ctx: Context, owner: str, show_id: str, spec: ShowSpec) -> ShowRow:
    """Replace the spec of a show without a resource. The same spec changes nothing.

    Raises:
        ApiProblem: NotFound, Managed or InvalidShow.
    """
    show = lock_own_show(session, owner, show_id)
    _refuse_managed(show)
    if show.spec == dump_show_spec(spec):
        return show
    changed = ShowRow(owner=owner, name=show.name, spec=dump_show_spec(spec))
    _refuse_problem(session, ctx, changed)
    _replace_spec(session, ctx, show, spec, show.generation + 1)
    return show


def lock_own_show(session: Session, owner: str, show_id: str) -> ShowRow:
    """Return a show of this owner, locked. Raise NotFound."""
    show = show_rows.lock_show(session, show_id)
    if show is None or show.owner != owner:
        raise not_found("show", show_id)
    return show


def _refuse_managed(show: ShowRow) -> None:
    if has_resource(show):
        detail = f"show {show.name!r} is a resource in {show.namespace}; change it with kubectl"
        raise ApiProblem(409, "Managed", detail)


def _refuse_problem(session: Session, ctx: Context, show: ShowRow) -> None:
    problem = find_problem(session, ctx, show)
    if problem is not None:
        raise ApiProblem(422, "InvalidShow", problem.message, reason=problem.reason)


def delete_own_show(session: Session, ctx: Context, owner: str, show_id: str) -> None:
    """Delete a show without a resource. Raise NotFound or Managed."""
    show = lock_own_show(session, owner, show_id)
    _refuse_managed(show)
    delete_show(session, ctx, show)


def resource_removed(session: Session, ctx: Context, uid: str) -> None:
    """Delete the show of a deleted resource. Repeating it changes nothing."""
    show = show_rows.lock_identity(session, uid)
    if show is not None:
        delete_show(session, ctx, show)


def delete_show(session: Session, ctx: Context, show: ShowRow) -> None:
    """Delete a show with its episodes. Compilations that have ended are kept."""
    session.flush()
    for episode in episode_rows.list_open(session, show.id):
        compilation = (
            compilation_records.find_and_lock(session, episode.compilation_id)
            if episode.compilation_id
            else None
        )
        if compilation is not None:
            end = RevisionEnd(CompilationState.CANCELLED, "ShowDeleted")
            submission.remove_compilation(session, ctx, compilation, end)
    show_rows.delete_show(session, show.id)
    session.expunge(show)
