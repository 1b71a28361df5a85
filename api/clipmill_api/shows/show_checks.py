"""Check the spec of a show: what keeps it from making episodes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clipmill.shows.show_spec import ShowSpec
from clipmill.spec.source_urls import ForbiddenURL, check_url
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.delivery.delivery_outbox import require_bucket
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.notifications.outbox import require_webhooks
from clipmill_api.shows.source_credentials import require_source_credentials
from clipmill_api.tables import ShowRow

MESSAGE_CHARS = 500


@dataclass(frozen=True, slots=True)
class ShowProblem:
    """Why a show is not ready: a stable code, and a sentence with field, value and rule."""

    reason: str
    message: str


def find_problem(session: Session, ctx: Context, show: ShowRow) -> ShowProblem | None:
    """Return the first problem of a show's spec."""
    spec = ShowSpec.model_validate(show.spec)
    if spec.owner not in (None, show.owner):
        message = f"spec.owner: {spec.owner!r} is not the owner {show.owner!r}; omit the field"
        return ShowProblem("OwnerConflict", message)
    return _address_problem(ctx, spec) or _reference_problem(session, show.owner, spec)


def _address_problem(ctx: Context, spec: ShowSpec) -> ShowProblem | None:
    for index, source in enumerate(spec.sources):
        page = source.feed or source.list
        if page is None:
            continue
        try:
            check_url(page.url, hosts=(), any_host=True, private=ctx.settings.allow_private)
        except ForbiddenURL as error:
            field = f"spec.sources[{index}].{source.kind}.url"
            return ShowProblem("ForbiddenURL", f"{field}: {error}")
    return None


def _reference_problem(session: Session, owner: str, spec: ShowSpec) -> ShowProblem | None:
    for index, source in enumerate(spec.sources):
        try:
            require_source_credentials(session, owner, source)
        except ApiProblem as problem:
            field = f"spec.sources[{index}].{source.kind}"
            return ShowProblem(problem.code, f"{field}.{problem.detail}")
    try:
        require_webhooks(session, owner, spec.notify)
        require_bucket(session, owner, spec.template, field="spec.template")
    except ApiProblem as problem:
        return ShowProblem(problem.code, problem.detail)
    return None


def set_problem(show: ShowRow, problem: ShowProblem | None, at: datetime) -> bool:
    """Store whether a show is ready. Return whether that changed."""
    values = (problem.reason, problem.message[:MESSAGE_CHARS]) if problem else ("", "")
    if (show.ready, show.reason, show.message) == (problem is None, *values):
        return False
    show.ready = problem is None
    show.reason, show.message = values
    show.changed_at = at
    return True
